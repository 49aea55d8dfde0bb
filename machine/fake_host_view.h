// SPDX-License-Identifier: Apache-2.0
//
// FakeHostView: guest memory as the host sees it, for tests of the host's half
// without a CPU. Everything is shared at first.
#pragma once

#include <stdint.h>

#include <set>
#include <vector>

#include "machine/host_view.h"

namespace machine {

class FakeHostView final : public HostView {
 public:
  explicit FakeHostView(uint64_t size) : bytes_(size) {}

  base::MutableBytes Shared(uint64_t gpa, uint64_t size) override {
    if (!IsRam(gpa, size)) return {};
    for (uint64_t at = gpa & ~(kPageSize - 1); at < gpa + size;
         at += kPageSize) {
      if (is_private.contains(at)) return {};
    }
    return base::MutableBytes(bytes_).subspan(gpa, size);
  }
  bool IsRam(uint64_t gpa, uint64_t size) const override {
    return gpa < bytes_.size() && size <= bytes_.size() - gpa;
  }
  void MakePrivate(uint64_t gpa, uint64_t size, bool large) override {
    for (uint64_t at = gpa; at < gpa + size; at += kPageSize) {
      is_private.insert(at);
    }
    if (large) ++large_pages;
  }
  void MakeShared(uint64_t gpa, uint64_t size) override {
    for (uint64_t at = gpa; at < gpa + size; at += kPageSize)
      is_private.erase(at);
  }

  std::set<uint64_t> is_private;
  int large_pages = 0;

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace machine
