import { readFileSync } from 'node:fs';

const [, stub] = /^(<script>.*queue.*<\/script>)$/m.exec(readFileSync('README.md', 'utf8')) ?? [];

/** The line of the README that queues calls until the tracker has loaded: what is tested is what is told. */
export const README_STUB: string = stub ?? '<!-- the README has no stub -->';
