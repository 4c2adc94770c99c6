/**
 * Runs a task again and again, never twice at once, `pauseMs` after it has ended.
 * A task that fails is told of, and tried again like any other.
 */
export async function every(pauseMs, task, failed) {
  while (true) {
    await task().catch(failed);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
