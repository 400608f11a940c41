import { createDataStore } from './data-store/data-store.js';
import { createInferenceEngine } from './inference-engine/inference-engine.js';
import { createMcpGateway } from './mcp-gateway/mcp-gateway.js';
import { createScriptEngine } from './script-engine/script-engine.js';

export type { DataStore, DataStoreOptions } from './data-store/data-store.js';
export type { InferenceEngine, InferenceEngineOptions } from './inference-engine/inference-engine.js';
export type { McpGateway, McpGatewayOptions } from './mcp-gateway/mcp-gateway.js';
export type { ScriptEngine, ScriptEngineOptions } from './script-engine/script-engine.js';
export type { Service, ServiceMetrics } from './service.js';
export { createDataStore, createInferenceEngine, createMcpGateway, createScriptEngine };

/** The factory of each service, by the name of its type. */
export const createService = {
  ScriptEngine: createScriptEngine,
  InferenceEngine: createInferenceEngine,
  DataStore: createDataStore,
  McpGateway: createMcpGateway,
} as const;
