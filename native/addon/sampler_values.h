#pragma once

#include <napi.h>

#include "../process/sampler.h"

namespace crucible::addon {

/**
 * NativeSampler.watchSlots() of src/native.ts.
 * @returns what keeps their memory; to be held until the scanner is closed. @throws Failure
 */
[[nodiscard]] Napi::ObjectReference watch_slots_of(process::SlotScanner& scanner, const Napi::Value& options);

/** SamplerStatistics of src/native.ts. */
[[nodiscard]] Napi::Value to_js(Napi::Env env, const process::SamplerStatistics& statistics);

}  // namespace crucible::addon
