import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { botSign, type CloudflareSigns, type PageSigns } from '../../../src/edge/auth/bot.ts';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

const NOTHING: PageSigns = { userAgent: CHROME, isAutomated: undefined, cloudflare: undefined };

const signOf = (userAgent: string | null) => botSign({ ...NOTHING, userAgent });

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)';
const WEB_VIEW =
  'Mozilla/5.0 (Linux; Android 15; SM-S921B Build/AP3A.240905.015.A2; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.7390.122 Mobile Safari/537.36';

describe('visitors are no bots', () => {
  test.each([
    ['Chrome', CHROME],
    ['Edge', `${CHROME} Edg/142.0.0.0`],
    ['Opera', `${CHROME} OPR/124.0.0.0`],
    ['Vivaldi', `${CHROME} Vivaldi/7.6.3797.63`],
    ['Yandex Browser', `${CHROME.replace(' Safari', ' YaBrowser/25.10.0.0 Safari')}`],
    ['Whale', `${CHROME.replace(' Safari', ' Whale/4.34.340.19 Safari')}`],
    ['Chrome on ChromeOS', CHROME.replace('Windows NT 10.0; Win64; x64', 'X11; CrOS x86_64 14541.0.0')],
    ['Firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'],
    ['Firefox on Android', 'Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0'],
    ['Tor Browser', 'Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0'],
    [
      'Safari',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
    ],
    ['Safari on an iPhone', `${IPHONE} Version/18.6 Mobile/15E148 Safari/604.1`],
    ['Chrome on an iPhone', `${IPHONE} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1`],
    ['Firefox on an iPhone', `${IPHONE} FxiOS/144.0 Mobile/15E148 Safari/605.1.15`],
    ['DuckDuckGo on an iPhone', `${IPHONE} Version/18.6 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15`],
    ['the Google app on an iPhone', `${IPHONE} GSA/390.0.818793404 Mobile/15E148 Safari/604.1`],
    ['Chrome on Android', `${ANDROID} Chrome/142.0.0.0 Mobile Safari/537.36`],
    ['Samsung Internet', `${ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`],
    [
      'MIUI Browser',
      `${ANDROID} Version/4.0 Chrome/129.0.6668.70 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.41.0-gn`,
    ],
    ['Huawei Browser', `${ANDROID} Chrome/114.0.5735.196 HuaweiBrowser/16.0.8.302 Mobile Safari/537.36`],
    [
      'a Cubot phone',
      'Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36',
    ],
    [
      'UC Browser',
      'Mozilla/5.0 (Linux; U; Android 13; en-US; RMX3085 Build/SP1A.210812.016) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.7.8.1323 Mobile Safari/537.36',
    ],
    [
      'Opera Mini',
      'Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10',
    ],
    [
      'KaiOS',
      'Mozilla/5.0 (Mobile; LYF/F320B/LYF-F320B-001-01-05-281219; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5',
    ],
    [
      'Android 4',
      'Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; Galaxy S II Build/GRJ22) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30',
    ],
    ['Internet Explorer', 'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko'],
    ['Instagram', `${WEB_VIEW} Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; samsung)`],
    [
      'Facebook on an iPhone',
      `${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/536.0.0.41.107;FBBV/808000000;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.6;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]`,
    ],
    ['Facebook on Android', `${WEB_VIEW} [FB_IAB/FB4A;FBAV/536.0.0.46.77;]`],
    ['WeChat', `${IPHONE} Mobile/15E148 MicroMessenger/8.0.64(0x18004034) NetType/WIFI Language/en`],
    ['LINE', `${IPHONE} Safari Line/15.17.0`],
    ['TikTok', `${WEB_VIEW} trill_2023407080 BytedanceWebview/d8a21c6`],
    ['Pinterest', `${IPHONE} Mobile [Pinterest/iOS]`],
    ['a WebView of a shop’s app', `${WEB_VIEW} ExampleShop/7.2.1`],
    [
      'an Electron app',
      CHROME.replace('Chrome/142.0.0.0', 'ExampleShop/2.1.0 Chrome/142.0.7444.59 Electron/39.0.0'),
    ],
    [
      'a PlayStation',
      'Mozilla/5.0 (PlayStation; PlayStation 5/9.60) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15',
    ],
    [
      'a television',
      'Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) 94.0.4606.31/7.0 TV Safari/537.36',
    ],
    ['an unknown browser', 'Mozilla/5.0 (Fridge; CoolOS 3.1) Kelvin/1.2 Chilled/7.5'],
  ])('%s', (_, userAgent) => {
    expect(signOf(userAgent)).toBeUndefined();
  });

  test.each([[null], ['']])('a browser that hides its name, as %j', (userAgent) => {
    expect(signOf(userAgent)).toBeUndefined();
  });
});

const GOOGLEBOT =
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/142.0.7444.59 Safari/537.36';

describe('bots are known by their user agent', () => {
  test.each([
    ['Googlebot', GOOGLEBOT],
    [
      'Googlebot as a phone',
      `${ANDROID} Chrome/142.0.7444.59 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
    ],
    [
      'Google’s inspection tool',
      `${ANDROID} Chrome/142.0.0.0 Mobile Safari/537.36 (compatible; Google-InspectionTool/1.0;)`,
    ],
    [
      'AdsBot',
      `${IPHONE} Version/13.0.3 Mobile/15E148 Safari/604.1 (compatible; AdsBot-Google-Mobile; +http://www.google.com/mobile/adsbot.html)`,
    ],
    ['bingbot', GOOGLEBOT.replace(/Googlebot.*html/, 'bingbot/2.0; +http://www.bing.com/bingbot.htm')],
    [
      'Yandex',
      'Mozilla/5.0 (compatible; YandexRenderResourcesBot/1.0; +http://yandex.com/bots) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.0.0 Safari/537.36',
    ],
    ['Baidu', 'Mozilla/5.0 (compatible; Baiduspider-render/2.0; +http://www.baidu.com/search/spider.html)'],
    [
      'Applebot',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)',
    ],
    [
      'Petal',
      `${ANDROID.replace(')', '; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)')} Mobile Safari/537.36`,
    ],
    ['headless Chrome', CHROME.replace('Chrome/', 'HeadlessChrome/')],
    [
      'PhantomJS',
      'Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1',
    ],
    ['Cypress', CHROME.replace('Chrome/142', 'Cypress/15.5.0 Chrome/138').concat(' Electron/37.6.0')],
    ['Lighthouse', `${ANDROID} Chrome/142.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse`],
    ['Pingdom', CHROME.replace('Mozilla/5.0', 'Mozilla/5.0 (compatible; PingdomTMS/0.8.5)')],
    ['UptimeRobot', 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)'],
    ['WebPageTest', `${CHROME} PTST/250101.000000`],
    ['Datadog', `${CHROME} DatadogSynthetics`],
    ['Ahrefs', 'Mozilla/5.0 (compatible; AhrefsSiteAudit/6.1; +http://ahrefs.com/robot/site-audit)'],
    ['Semrush', 'Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)'],
    ['GPTBot', GOOGLEBOT.replace(/Googlebot.*html/, 'GPTBot/1.3; +https://openai.com/gptbot')],
    ['ChatGPT', GOOGLEBOT.replace(/Googlebot.*html/, 'ChatGPT-User/1.0; +https://openai.com/bot')],
    ['ClaudeBot', GOOGLEBOT.replace(/Googlebot.*html/, 'ClaudeBot/1.0; +claudebot@anthropic.com')],
    [
      'PerplexityBot',
      GOOGLEBOT.replace(/Googlebot.*html/, 'PerplexityBot/1.0; +https://perplexity.ai/perplexitybot'),
    ],
    [
      'Bytespider',
      `${ANDROID.replace('(KHTML', '(compatible; Bytespider; spider-feedback@bytedance.com) (KHTML')} Mobile Safari/537.36`,
    ],
    ['Facebook’s preview', 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)'],
    ['Slack’s preview', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)'],
    ['curl', 'curl/8.15.0'],
    ['Python', 'python-requests/2.32.5'],
    ['Go', 'Go-http-client/2.0'],
    ['Node', 'node'],
    ['undici', 'undici'],
    ['axios', 'axios/1.13.1'],
    ['OkHttp', 'okhttp/5.1.0'],
    ['Java', 'Apache-HttpClient/5.5 (Java/21.0.8)'],
  ])('%s', (_, userAgent) => {
    expect(signOf(userAgent)).toBe('user_agent');
  });
});

test('a browser that says it is automated is a bot, and none that says nothing', () => {
  expect(botSign({ ...NOTHING, isAutomated: true })).toBe('webdriver');
  expect(botSign({ ...NOTHING, isAutomated: false })).toBeUndefined();
});

test.each<[CloudflareSigns, boolean]>([
  [{}, false],
  [{ botManagement: null, verifiedBotCategory: null }, false],
  [{ verifiedBotCategory: '' }, false],
  [{ verifiedBotCategory: 'Search Engine Crawler' }, true],
  [{ botManagement: {} }, false],
  [{ botManagement: { verifiedBot: false, score: 99 } }, false],
  [{ botManagement: { verifiedBot: true, score: 99 } }, true],
  [{ botManagement: { verifiedBot: false, score: 1 } }, true],
  // "Likely automated": some of them are visitors.
  [{ botManagement: { verifiedBot: false, score: 2 } }, false],
  // Not computed.
  [{ botManagement: { verifiedBot: false, score: 0 } }, false],
])('of %j from Cloudflare it is %j that the visitor is a bot', (cloudflare, isBot) => {
  expect(botSign({ ...NOTHING, cloudflare })).toBe(isBot ? 'cloudflare' : undefined);
});

test('each bot counts by one sign, so that the counts add up', () => {
  const all: PageSigns = {
    userAgent: GOOGLEBOT,
    isAutomated: true,
    cloudflare: { verifiedBotCategory: 'Other' },
  };

  expect(botSign(all)).toBe('user_agent');
  expect(botSign({ ...all, userAgent: CHROME })).toBe('webdriver');
  expect(botSign({ ...all, userAgent: CHROME, isAutomated: undefined })).toBe('cloudflare');
});

test('no input throws, and only the first 1,000 characters of a user agent matter', () => {
  const signs = fc.record({
    userAgent: fc.option(fc.string({ unit: 'binary' })),
    isAutomated: fc.option(fc.boolean(), { nil: undefined }),
    // `request.cf` is Cloudflare's, and may change.
    cloudflare: fc.option(
      fc.record({ botManagement: fc.anything(), verifiedBotCategory: fc.anything() }, { requiredKeys: [] }),
      { nil: undefined },
    ),
  });

  fc.assert(
    fc.property(signs, fc.string(), (signs, more) => {
      const sign = botSign(signs as PageSigns);
      expect([undefined, 'user_agent', 'webdriver', 'cloudflare']).toContain(sign);
      const userAgent = `${CHROME} `.padEnd(1_000, 'x');
      expect(signOf(userAgent + more)).toBe(signOf(userAgent));
    }),
  );
});
