import type { IncomingMessage } from 'node:http';

/**
 * The body of a request as text. A body that is too long is read to its end as
 * well, but not kept: a client that is still sending would not see the refusal.
 * Rejects when the client breaks off.
 * @param received is told of every piece that is kept, bytes
 * @returns undefined when the body is longer than `maxBytes`
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  received: (bytes: number) => void = () => undefined,
): Promise<string | undefined> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isTooLong = Number(request.headers['content-length'] ?? 0) > maxBytes;
  request.on('data', (chunk: Buffer) => {
    if (isTooLong) return;
    bytes += chunk.byteLength;
    isTooLong = bytes > maxBytes;
    if (isTooLong) chunks = [];
    else chunks.push(chunk);
    received(isTooLong ? chunk.byteLength - bytes : chunk.byteLength);
  });
  return new Promise((resolve, reject) => {
    request.once('end', () => resolve(isTooLong ? undefined : Buffer.concat(chunks).toString()));
    request.once('error', reject);
  });
}
