#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "heap/base/pages.h"

namespace crucible::heap {

/**
 * A growing array of plain values in its own pages. Unlike std::vector it
 * grows without a second copy in memory, does not write what it reserves, and
 * gives its pages back when it is shrunk or dropped. New values are zero.
 */
template <class T>
class Column {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Column() = default;
  explicit Column(std::size_t size) { resize(size); }
  Column(Column&& other) noexcept { swap(other); }
  Column& operator=(Column&& other) noexcept {
    Column gone(std::move(other));
    swap(gone);
    return *this;
  }
  Column(const Column&) = delete;
  Column& operator=(const Column&) = delete;
  ~Column() { clear(); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] T* begin() { return data_; }
  [[nodiscard]] T* end() { return data_ + size_; }
  [[nodiscard]] const T* begin() const { return data_; }
  [[nodiscard]] const T* end() const { return data_ + size_; }
  T& operator[](std::size_t at) { return data_[at]; }
  const T& operator[](std::size_t at) const { return data_[at]; }
  [[nodiscard]] T& back() { return data_[size_ - 1]; }

  /** Bytes reserved from the system, used or not. */
  [[nodiscard]] std::size_t bytes_held() const { return capacity_ * sizeof(T); }

  void reserve(std::size_t capacity) {
    if (capacity > capacity_) reallocate(capacity);
  }

  /** Values between the old and the new size are whatever was there before, zero at first. */
  void resize(std::size_t size) {
    if (size > capacity_) reallocate(size);
    size_ = size;
  }

  /** Room for `size` values, growing geometrically. */
  void grow_to(std::size_t size) {
    if (size > capacity_) {
      const std::size_t half_more = capacity_ + capacity_ / 2;
      reallocate(size > half_more ? size : half_more);
    }
    if (size > size_) size_ = size;
  }

  void push_back(T value) {
    if (size_ == capacity_) reallocate(capacity_ < 16 ? 16 : capacity_ + capacity_ / 2);
    data_[size_++] = value;
  }
  T pop_back() { return data_[--size_]; }

  void fill(T value) {
    for (std::size_t at = 0; at < size_; ++at) data_[at] = value;
  }

  void shrink_to_fit() {
    if (size_ == 0) {
      clear();
    } else if (size_ < capacity_) {
      reallocate(size_);
    }
  }

  void clear() {
    if (data_ != nullptr) give_back_pages(data_, capacity_ * sizeof(T));
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  void swap(Column& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  void reallocate(std::size_t capacity) {
    if (capacity > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) throw std::bad_alloc();
    void* block = data_ == nullptr ? take_pages(capacity * sizeof(T))
                                   : resize_pages(data_, capacity_ * sizeof(T), capacity * sizeof(T));
    data_ = static_cast<T*>(block);
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace crucible::heap
