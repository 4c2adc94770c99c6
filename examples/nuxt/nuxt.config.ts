export default defineNuxtConfig({
  compatibilityDate: '2026-10-01',
  app: { head: { htmlAttrs: { lang: 'en' }, link: [{ rel: 'icon', href: 'data:,' }] } },
  // A deployment sets another relay by NUXT_PUBLIC_RELAY_URL.
  runtimeConfig: { public: { relayUrl: 'http://localhost:8787' } },
});
