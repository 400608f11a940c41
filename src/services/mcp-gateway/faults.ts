import type { Faults } from '../fault.js';

export const MCP_GATEWAY_FAULTS = {
  'sessions-not-removed': {
    what: 'a session that has ended stays on a list, with its server',
    memory: 'heap',
    culprits: ['#ended'],
    perOperation: { count: 1 / 32 },
  },
  'tools-per-session': {
    what: 'every session registers a tool of its own, offered to all, which stays when the session ends',
    memory: 'heap',
    culprits: ['McpGateway.tool', '#tools', '_registeredTools', 'tools_count'],
    perOperation: { count: 1 / 32 },
  },
  'listeners-accumulating': {
    what: 'every request listens for the stop of the gateway, and goes on listening when it is answered',
    memory: 'heap',
    culprits: ['#stopping', 'AbortSignal'],
    perOperation: { count: 1 },
  },
  'arc-cycle': {
    what: 'a session owns a tool that owns the session, so that neither is ever disposed of',
    memory: 'heap',
    culprits: ['McpGateway.session', '#undisposed'],
    perOperation: { count: 1 / 32 },
  },
} as const satisfies Faults;

export type McpGatewayFault = keyof typeof MCP_GATEWAY_FAULTS;
