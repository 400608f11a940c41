import { existsSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import type { MemoryTestConfig } from '../config/schema.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import type { Target } from '../scenarios/index.js';
import { DATA_STORE_FAULTS } from '../services/data-store/faults.js';
import { faultOf } from '../services/fault.js';
import { INFERENCE_ENGINE_FAULTS } from '../services/inference-engine/faults.js';
import { MCP_GATEWAY_FAULTS } from '../services/mcp-gateway/faults.js';
import { SCRIPT_ENGINE_FAULTS } from '../services/script-engine/faults.js';
import type { Service } from '../services/service.js';
import { ServiceType } from '../vocabulary.js';
import type { TargetSpec } from './messages.js';

/** The thing under test, as the scenarios see it. Throws TARGET_INVALID. */
export async function loadTarget(spec: TargetSpec, services: MemoryTestConfig['services']): Promise<Target> {
  return spec.kind === 'service'
    ? targetOfService(spec.service, await serviceOf(spec, services))
    : targetOfModule(spec.path);
}

/** The name under which a target's results are filed, known without loading it. */
export function targetName(spec: TargetSpec): string {
  return spec.kind === 'service' ? spec.service : spec.name;
}

type ServiceSpec = Extract<TargetSpec, { kind: 'service' }>;

/** Only the service under test is loaded: the others' modules would be in its memory too. */
async function serviceOf(
  { service, fault }: ServiceSpec,
  services: MemoryTestConfig['services'],
): Promise<Service> {
  switch (service) {
    case ServiceType.ScriptEngine: {
      const { createScriptEngine } = await import('../services/script-engine/script-engine.js');
      return createScriptEngine({ ...services.scriptEngine, fault: faultOf(SCRIPT_ENGINE_FAULTS, fault) });
    }
    case ServiceType.InferenceEngine: {
      const { createInferenceEngine } = await import('../services/inference-engine/inference-engine.js');
      return createInferenceEngine({
        ...services.inferenceEngine,
        fault: faultOf(INFERENCE_ENGINE_FAULTS, fault),
      });
    }
    case ServiceType.DataStore: {
      const { createDataStore } = await import('../services/data-store/data-store.js');
      return createDataStore({ ...services.dataStore, fault: faultOf(DATA_STORE_FAULTS, fault) });
    }
    case ServiceType.McpGateway: {
      const { createMcpGateway } = await import('../services/mcp-gateway/mcp-gateway.js');
      return createMcpGateway({ ...services.mcpGateway, fault: faultOf(MCP_GATEWAY_FAULTS, fault) });
    }
  }
}

function targetOfService(type: ServiceType, service: Service): Target {
  return {
    name: type,
    setup: () => service.start(),
    operation: (index, { payloadBytes }) =>
      payloadBytes === undefined ? service.operation(index) : service.largeOperation(index, payloadBytes),
    teardown: () => service.stop(),
    metrics: () => service.metrics(),
  };
}

async function targetOfModule(path: string): Promise<Target> {
  const absolute = resolve(path);
  if (!existsSync(absolute)) {
    throw new CrucibleMemoryError('TARGET_INVALID', {
      what: `the target module ${path} does not exist`,
      why: `there is no file at ${absolute}`,
      fix: 'give the path of a module that exports operation(), relative to the working folder',
    });
  }
  const exported = await importModule(absolute, path);
  const functions = functionsOf(exported, path);
  return { name: nameOf(exported) ?? basename(absolute, extname(absolute)), ...functions };
}

async function importModule(absolute: string, path: string): Promise<Record<string, unknown>> {
  try {
    const isTypeScript = /\.[cm]?tsx?$/.test(absolute);
    const loaded: unknown = isTypeScript
      ? await createJiti(import.meta.url, { interopDefault: false }).import(absolute)
      : await import(pathToFileURL(absolute).href);
    return exportsOf(loaded);
  } catch (thrown) {
    throw new CrucibleMemoryError('TARGET_INVALID', {
      what: `the target module ${path} could not be loaded`,
      why: messageOf(thrown),
      fix: `run it by itself first: node ${path}`,
      cause: thrown,
    });
  }
}

/** Named exports; where there is no `operation` among them, those of the default export (CommonJS, objects). */
function exportsOf(loaded: unknown): Record<string, unknown> {
  const named = asRecord(loaded);
  if ('operation' in named) return named;
  const byDefault = asRecord(named.default);
  return 'operation' in byDefault ? byDefault : named;
}

function asRecord(value: unknown): Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? (value as Record<string, unknown>)
    : {};
}

const CONTRACT = ['setup', 'operation', 'teardown', 'metrics'] as const;

function functionsOf(exported: Record<string, unknown>, path: string): Omit<Target, 'name'> {
  for (const name of CONTRACT) {
    const value = exported[name];
    if (value === undefined ? name !== 'operation' : typeof value === 'function') continue;
    const found = value === undefined ? 'no such export' : `a ${typeof value}`;
    throw new CrucibleMemoryError('TARGET_INVALID', {
      what: `the target module ${path} has no function ${name}()`,
      why: `there is ${found}; its exports are ${Object.keys(exported).join(', ') || 'none'}`,
      fix: `export function ${name}(${name === 'operation' ? 'index' : ''}) from it`,
    });
  }
  const bound = CONTRACT.flatMap((name) => {
    const value = exported[name];
    return typeof value === 'function' ? [[name, value.bind(exported)] as const] : [];
  });
  return Object.fromEntries(bound) as unknown as Omit<Target, 'name'>;
}

function nameOf(exported: Record<string, unknown>): string | undefined {
  return typeof exported.name === 'string' && exported.name !== '' ? exported.name : undefined;
}
