#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "heap/base/column.h"

namespace crucible::heap {

/** Bytes that can be read again later, from any thread. */
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /** Reads up to `size` bytes at `offset`; fewer only at the end. Throws SNAPSHOT_UNREADABLE. */
  virtual std::size_t read_at(std::uint64_t offset, char* into, std::size_t size) const = 0;
};

/**
 * A file that stays open. It is read, not mapped: a mapped file counts as
 * resident memory, and kills the process if somebody truncates it.
 */
class FileBytes final : public ByteSource {
 public:
  /** Throws SNAPSHOT_UNREADABLE. */
  explicit FileBytes(const std::string& path);
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes() override;
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  std::size_t read_at(std::uint64_t offset, char* into, std::size_t size) const override;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  std::FILE* file_ = nullptr;
};

/**
 * What came through a pipe and is wanted later: in memory while it is small,
 * beyond that in a nameless temporary file that only this process can open.
 */
class SpooledBytes final : public ByteSource {
 public:
  explicit SpooledBytes(std::size_t memory_bytes_max = 64 * 1024 * 1024) : memory_bytes_max_(memory_bytes_max) {}
  SpooledBytes(const SpooledBytes&) = delete;
  SpooledBytes& operator=(const SpooledBytes&) = delete;
  ~SpooledBytes() override;
  void append(const char* bytes, std::size_t size);
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  std::size_t read_at(std::uint64_t offset, char* into, std::size_t size) const override;
  [[nodiscard]] std::size_t bytes_held() const { return memory_.bytes_held(); }

 private:
  std::size_t memory_bytes_max_;
  std::uint64_t size_ = 0;
  Column<char> memory_;
  std::FILE* file_ = nullptr;
};

}  // namespace crucible::heap
