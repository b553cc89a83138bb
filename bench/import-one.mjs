// Imports one trace into memory, to the file named second, or, with '-', into columns that are handed
// on and dropped, with as many threads as the third argument says; prints the number of events.
import { endLog, newLog } from '../dist/events/log.js';
import { newMeta } from '../dist/events/meta.js';

const [path, out, threads] = process.argv.slice(2);
if (out === '-') {
  const { closeSync, openSync, readSync, statSync } = await import('node:fs');
  const { traceDat } = await import('../dist/importers/trace-dat.js');
  const fd = openSync(path, 'r');
  const read = (offset, length, into) => {
    const bytes = into?.length >= length ? into.subarray(0, length) : new Uint8Array(length);
    for (let at = 0; at < length; ) at += readSync(fd, bytes, at, length - at, offset + at);
    return bytes;
  };
  const log = newLog(() => {}, true);
  const access = async () => ({ size: statSync(path).size, read });
  await traceDat.read({ name: path, access }, log, newMeta(path, 'trace-dat'));
  endLog(log);
  closeSync(fd);
  console.log(`${log.total} events`);
} else {
  const { importFile, openTrace } = await import('../dist/importers/open.js');
  const jobs = threads === undefined ? 1 : Number(threads);
  const meta = out ? await importFile(path, out, { jobs }) : (await openTrace(path, { jobs })).meta;
  console.log(`${meta.seen} events`);
}
