import { CrucibleMemoryError } from '../errors.js';
import { plainName, suggestion } from '../nearest-name.js';
import { DATA_STORE_FAULTS } from '../services/data-store/faults.js';
import type { Fault, Faults } from '../services/fault.js';
import { INFERENCE_ENGINE_FAULTS } from '../services/inference-engine/faults.js';
import { MCP_GATEWAY_FAULTS } from '../services/mcp-gateway/faults.js';
import { SCRIPT_ENGINE_FAULTS } from '../services/script-engine/faults.js';
import { SERVICE_TYPES, ServiceType } from '../vocabulary.js';

/** A leak that `run --inject` switches on in one of the services. */
export interface PlantedLeak extends Fault {
  name: string;
  service: ServiceType;
}

const FAULTS: Record<ServiceType, Faults> = {
  [ServiceType.ScriptEngine]: SCRIPT_ENGINE_FAULTS,
  [ServiceType.InferenceEngine]: INFERENCE_ENGINE_FAULTS,
  [ServiceType.DataStore]: DATA_STORE_FAULTS,
  [ServiceType.McpGateway]: MCP_GATEWAY_FAULTS,
};

/** All of them, service by service; no two have the same name. */
export const PLANTED_LEAKS: readonly PlantedLeak[] = SERVICE_TYPES.flatMap((service) =>
  Object.entries(FAULTS[service]).map(([name, fault]) => ({ name, service, ...fault })),
);

/** In any spelling. @throws UNKNOWN_NAME with the nearest one */
export function plantedLeak(given: string): PlantedLeak {
  const leak = PLANTED_LEAKS.find(({ name }) => plainName(name) === plainName(given));
  if (leak !== undefined) return leak;
  const names = PLANTED_LEAKS.map(({ name }) => name);
  throw new CrucibleMemoryError('UNKNOWN_NAME', {
    what: `there is no planted leak "${given}"`,
    why: suggestion(given, names),
    fix: '`crucible-memory run --inject list` shows what each of them does',
  });
}
