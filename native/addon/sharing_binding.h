#pragma once

#include <napi.h>

#include <memory>

#include "../process/tick_hub.h"
#include "../recording/writer.h"

namespace crucible::addon {

/** A NativeCaptureLink of src/native.ts, for isolate.node. */
[[nodiscard]] Napi::Value to_js_link(Napi::Env env, std::shared_ptr<recording::RecordingWriter> writer,
                                     std::shared_ptr<process::TickHub> ticks);

/** Lets the other threads of the process join this capture, in place of any earlier one. */
void share_capture(std::shared_ptr<recording::RecordingWriter> writer, std::shared_ptr<process::TickHub> ticks);

/** Of the capture that is shared; null when none is. */
[[nodiscard]] std::shared_ptr<process::TickHub> shared_ticks();

/** If this is the capture that is shared, nobody can join it any more. */
void stop_sharing(const std::shared_ptr<process::TickHub>& ticks) noexcept;

}  // namespace crucible::addon
