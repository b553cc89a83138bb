// Imports one trace into memory, or to the file named second; prints the number of events.
import { importFile, openTrace } from '../dist/index.js';

const [path, out] = process.argv.slice(2);
const meta = out ? await importFile(path, out) : (await openTrace(path)).meta;
console.log(`${meta.seen} events`);
