// The Jupyter wire protocol: signed multipart messages, the same for kernel and client.
// https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

export const protocolVersion = '5.3';
const delimiter = Buffer.from('<IDS|MSG>');

export interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

export type Content = Record<string, unknown>;

/** One message; `parent` is {} where nothing was asked. */
export interface Message {
  readonly identities: readonly Buffer[];
  readonly header: Header;
  readonly parent: Header | Record<string, never>;
  readonly metadata: Content;
  readonly content: Content;
  readonly buffers: readonly Buffer[];
}

/** What a Jupyter connection file holds. */
export interface Connection {
  readonly transport: string;
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly key: string;
  readonly signature_scheme: string;
}

/** A fresh header; `session` names the sender for as long as it lives. */
export function header(msgType: string, session: string, username = 'ptlab'): Header {
  return {
    msg_id: randomUUID(),
    msg_type: msgType,
    session,
    username,
    date: new Date().toISOString(),
    version: protocolVersion,
  };
}

/** zeromq's address of a port; `ipc` joins with '-', as Jupyter does. */
export const address = (c: Connection, port: number): string =>
  `${c.transport}://${c.ip}${c.transport === 'ipc' ? '-' : ':'}${port}`;

function sign(key: string, parts: readonly Buffer[]): string {
  if (key === '') return '';
  const hash = createHmac('sha256', key);
  for (const p of parts) hash.update(p);
  return hash.digest('hex');
}

/** The frames of a message, signed with `key` (not signed if the key is empty). */
export function encode(key: string, m: Message): Buffer[] {
  const parts = [m.header, m.parent, m.metadata, m.content].map((p) =>
    Buffer.from(JSON.stringify(p)),
  );
  return [...m.identities, delimiter, Buffer.from(sign(key, parts)), ...parts, ...m.buffers];
}

/**
 * The message in `frames`.
 * @throws Error if the delimiter or a part is missing, the signature is wrong, or a part is not JSON.
 */
export function decode(key: string, frames: readonly Buffer[]): Message {
  const at = frames.findIndex((f) => f.equals(delimiter));
  if (at < 0) throw new Error('no <IDS|MSG> delimiter');
  const signature = frames[at + 1];
  const parts = frames.slice(at + 2, at + 6);
  if (!signature || parts.length < 4)
    throw new Error(`${frames.length - at} frames after the identities, 6 wanted`);
  const wanted = Buffer.from(sign(key, parts));
  if (key !== '' && (signature.length !== wanted.length || !timingSafeEqual(signature, wanted)))
    throw new Error('wrong signature');
  const [head, parent, metadata, content] = parts.map((p) => JSON.parse(p.toString('utf8')));
  if (typeof head?.msg_id !== 'string' || typeof head.msg_type !== 'string')
    throw new Error('a header without msg_id and msg_type');
  return {
    identities: frames.slice(0, at),
    header: head,
    parent: parent ?? {},
    metadata: metadata ?? {},
    content: content ?? {},
    buffers: frames.slice(at + 6),
  };
}
