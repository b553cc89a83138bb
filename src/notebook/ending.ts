// How a person or the system asks a command to end that has started kernels.

/**
 * A signal given at the first Ctrl-C, `kill` or closed terminal; the second ends the process as
 * if nobody had listened.
 */
export function endSignal(): AbortSignal {
  const end = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = (): void => {
    for (const n of names) process.off(n, stop);
    end.abort();
  };
  for (const n of names) process.on(n, stop);
  return end.signal;
}
