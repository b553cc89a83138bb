import { readFileSync } from 'node:fs';
import { type Profile, profiles } from '../engines/cost.js';
import { UserError } from './command.js';

/**
 * The machine profile called `name`, or the one in the file `name` (written by `ptlab calibrate`).
 * @throws UserError naming the known ones.
 */
export function profileOf(name: string): Profile {
  if (Object.hasOwn(profiles, name)) return profiles[name as keyof typeof profiles];
  let text: string;
  try {
    text = readFileSync(name, 'utf8');
  } catch {
    const known = Object.keys(profiles).join(', ');
    throw new UserError(
      `--profile ${name}: no such profile (known: ${known}) and no such file; make one with: ptlab calibrate TRACE -o ${name}`,
    );
  }
  try {
    const p = JSON.parse(text) as Partial<Profile>;
    if (typeof p.hz === 'number' && p.own && p.segments && typeof p.factor === 'number') {
      return p as Profile;
    }
  } catch {}
  throw new UserError(`--profile ${name}: not a profile that ptlab calibrate wrote`);
}
