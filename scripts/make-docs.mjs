#!/usr/bin/env node
// Writes docs/schema.md from the one dictionary of columns: node scripts/make-docs.mjs
import { writeFileSync } from 'node:fs';
import { schemaTable } from '../dist/index.js';

const text = `# Columns of a trace

Made from src/events/schema.ts by \`node scripts/make-docs.mjs\`. A type with a
question mark may be null. dict is dictionary-coded text; u64 is exact.

${schemaTable()}
`;
writeFileSync(new URL('../docs/schema.md', import.meta.url), text);
