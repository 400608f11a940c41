#include "block_table.h"

#include <algorithm>
#include <tuple>

namespace crucible::recording {

std::optional<std::uint32_t> BlockTable::take(const BlockClaim& claim) {
  if (is_bounded() && left() <= 1) return std::nullopt;
  return take_any({claim.stream, claim.sequence, 1, 0, claim.type == BlockType::data ? State::open : State::kept});
}

std::optional<std::uint32_t> BlockTable::take_for(const BlockRun& run) {
  return take_any(
      {run.stream, run.sequence, run.covered, static_cast<std::uint8_t>(run.level + 1), State::reducing});
}

std::optional<std::uint32_t> BlockTable::take_any(const Use& use) {
  if (free_ > 0) {
    const auto free = std::find_if(uses_.begin(), uses_.end(), [](const Use& one) { return one.state == State::free; });
    *free = use;
    free_--;
    return static_cast<std::uint32_t>(free - uses_.begin());
  }
  if (uses_.size() >= blocks_max_) return std::nullopt;
  uses_.push_back(use);
  return count() - 1;
}

void BlockTable::sealed(std::uint32_t block) noexcept {
  if (uses_[block].state == State::open) uses_[block].state = State::sealed;
}

std::size_t BlockTable::blocks_in_use() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(uses_.begin(), uses_.end(), [](const Use& use) { return use.state == State::open; }));
}

void BlockTable::set_free(std::uint32_t block) noexcept {
  uses_[block].state = State::free;
  free_++;
}

std::optional<BlockRun> BlockTable::next_run(std::size_t run_max) {
  auto run = best_run(run_max, true);
  if (!run) run = best_run(run_max, false);
  if (run)
    for (const std::uint32_t block : run->blocks) uses_[block].state = State::reducing;
  return run;
}

std::optional<BlockRun> BlockTable::best_run(std::size_t run_max, bool is_of_one_level) const {
  std::vector<std::uint32_t> order;
  for (std::uint32_t block = 0; block < uses_.size(); block++)
    if (uses_[block].state == State::sealed) order.push_back(block);
  const auto level = [&](const Use& use) { return is_of_one_level ? use.level : std::uint8_t{0}; };
  const auto age = [&](std::uint32_t block) {
    const Use& use = uses_[block];
    return std::make_tuple(level(use), use.stream, use.sequence);
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return age(a) < age(b); });

  std::optional<BlockRun> best;
  std::size_t most = 0;
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    const Use& use = uses_[order[first]];
    // Of one stream and level: first..end. Of those, the first that lie directly behind each other.
    BlockRun run{{order[first]}, use.stream, use.sequence, use.covered, use.level};
    for (end = first + 1; end < order.size(); end++) {
      const Use& next = uses_[order[end]];
      if (next.stream != use.stream || level(next) != level(use)) break;
      const bool is_behind = next.sequence == run.sequence + run.covered;
      if (!is_behind && run.blocks.size() < 2) {
        run = {{order[end]}, next.stream, next.sequence, next.covered, next.level};
      } else if (is_behind && run.blocks.size() < run_max) {
        run.blocks.push_back(order[end]);
        run.covered += next.covered;
        run.level = std::max(run.level, next.level);
      }
    }
    if (run.blocks.size() < 2 || end - first <= most) continue;
    most = end - first;
    best = std::move(run);
  }
  return best;
}

void BlockTable::finished(const BlockRun& run, std::uint32_t reduced) noexcept {
  for (const std::uint32_t block : run.blocks) set_free(block);
  uses_[reduced].state = State::sealed;
}

void BlockTable::give_up(const BlockRun& run, bool keeps_first) noexcept {
  for (const std::uint32_t block : run.blocks) uses_[block].state = State::sealed;
  if (keeps_first) uses_[run.blocks.front()].state = State::kept;
}

}  // namespace crucible::recording
