import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with one line for those who read only that: `N passed, N failed`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const failed = tests.filter((test) => test.result().state === 'failed').length;
    // A file that could not even be loaded has no test to fail.
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandledErrors.length;
    // Behind the other reporters' summary.
    process.on('exit', () => console.log(`${passed} passed, ${failed + broken} failed`));
  }
}
