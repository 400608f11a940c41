import { createHash } from 'node:crypto';
import type { ZodRawShape } from 'zod';
import type { Sdk } from './sdk.js';

/** Something that a client can have done. */
export interface Tool {
  name: string;
  description: string;
  /** The arguments, by name. */
  arguments: ZodRawShape;
  /** Gets arguments that fit. What it throws becomes the client's error. */
  run(given: Record<string, unknown>): string | Promise<string>;
}

/** The tools that a gateway has from the start. */
export function builtInTools({ z }: Sdk): Tool[] {
  return [
    {
      name: 'count_words',
      description: 'Counts the words of a text',
      arguments: { text: z.string() },
      run: ({ text }) => String(words(text).length),
    },
    {
      name: 'most_frequent_words',
      description: 'The words that a text uses most often',
      arguments: { text: z.string(), limit: z.number().int().positive().max(100) },
      run: ({ text, limit }) => {
        const counts = new Map<string, number>();
        for (const word of words(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
        return JSON.stringify([...counts].sort((a, b) => b[1] - a[1]).slice(0, Number(limit)));
      },
    },
    {
      name: 'hash_text',
      description: 'SHA-256 of a text, hexadecimal',
      arguments: { text: z.string() },
      run: ({ text }) => createHash('sha256').update(String(text)).digest('hex'),
    },
    {
      name: 'upper_case',
      description: 'The same text in capital letters',
      arguments: { text: z.string() },
      run: ({ text }) => String(text).toUpperCase(),
    },
    {
      name: 'add_up',
      description: 'The sum of some numbers',
      arguments: { numbers: z.array(z.number()) },
      run: ({ numbers }) => String((numbers as number[]).reduce((sum, each) => sum + each, 0)),
    },
  ];
}

/** A tool that comes and goes while the gateway runs. */
export function passingTool({ z }: Sdk, number: number): Tool {
  return {
    name: `passing_${number}`,
    description: `Answers with ${number}`,
    arguments: { text: z.string() },
    run: () => String(number),
  };
}

/** A tool that belongs to one session. */
export function sessionTool({ z }: Sdk, session: string): Tool {
  return {
    name: `session_${session}`,
    description: `Answers with the notes of the session ${session}`,
    arguments: { text: z.string() },
    run: ({ text }) => `${session}: ${text}`,
  };
}

/** The call number `index` of an endless, repeatable series. */
export function callAt(index: number): { tool: string; arguments: Record<string, unknown> } {
  const text = `message ${index % 1000}: the gateway hands the call to a tool and the answer back to its client`;
  switch (index % 5) {
    case 0:
      return { tool: 'count_words', arguments: { text } };
    case 1:
      return { tool: 'most_frequent_words', arguments: { text, limit: 5 } };
    case 2:
      return { tool: 'hash_text', arguments: { text } };
    case 3:
      return { tool: 'upper_case', arguments: { text } };
    default:
      return { tool: 'add_up', arguments: { numbers: [index, 1, 2, 3] } };
  }
}

function words(text: unknown): string[] {
  return String(text).toLowerCase().match(/\w+/g) ?? [];
}
