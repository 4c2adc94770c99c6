import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';

/** The stub as one line of ES5, made from its source: what the README, the documents, the demo and the command show. */
export async function stubLine(): Promise<string> {
  const plugins = [
    terser({
      ecma: 5,
      module: false,
      compress: { passes: 3, unsafe: true, pure_getters: true, expression: true, negate_iife: false },
      format: { ascii_only: true, semicolons: true },
    }),
  ];
  const bundle = await rollup({ input: 'src/tracker/script-tag/stub.js', treeshake: false, plugins });
  const { output } = await bundle.generate({ format: 'es', strict: false });
  return `<script>${output[0].code.trim().replace(/;$/, '')}</script>`;
}
