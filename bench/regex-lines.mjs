// The peer: each line of a text trace through one regular expression, nothing kept.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const line = /^\s*(.+)-(\d+)\s+\[(\d+)\]\s+(?:(\S+)\s+)?(\d+)\.(\d+):\s+([^:]+):\s+(.*)$/;
let events = 0;
for await (const text of createInterface({ input: createReadStream(process.argv[2]) })) {
  if (line.test(text)) events++;
}
console.log(`${events} events`);
