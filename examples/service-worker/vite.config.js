import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    rolldownOptions: {
      input: ['index.html', 'sw.js'],
      // A service worker keeps its address: the browser looks there for a new one.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
});
