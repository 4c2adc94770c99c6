/** Lets everything happen that waits for nothing but earlier promises. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}
