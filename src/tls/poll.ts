/** A step that is repeated: `runNow` takes it at once, after the one under way; after `stop` none begins by itself. */
export type Polling = { readonly runNow: () => Promise<void>; readonly stop: () => void };

/** Repeats a step, with a pause between two; it is told whether it has been stopped meanwhile, and must not reject. */
export function poll(step: (isStopped: () => boolean) => Promise<void>, intervalMs: number): Polling {
  let stopped = false;
  let turn = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  // One step at a time, so that a slow one cannot bring back what a later one replaced.
  const runNow = (): Promise<void> => (turn = turn.then(() => step(() => stopped)));
  const arm = (): void => {
    if (!stopped) timer = setTimeout(() => void runNow().then(arm), intervalMs).unref();
  };
  arm();
  return {
    runNow,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
