// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/shared_area.h"

namespace svsm {

base::Status SharedArea::Open(Platform& platform) {
  BASE_TRY(platform.Share(pages()));
  open_ = true;
  return {};
}

base::Status SharedArea::Close(Platform& platform) {
  if (!open_) return {};
  // What the host keeps of them once they are private is empty too.
  Clear();
  // Before the change: if that fails half way, some pages fault when written.
  open_ = false;
  return platform.Unshare(pages());
}

void SharedArea::Clear() {
  if (open_) range().Zero(0, size_);
}

proxy::SharedRange SharedArea::range() const {
  return {.base = pages_, .gpa = pages().begin, .size = size_};
}

Range SharedArea::pages() const {
  // EDGE: identity map; an address is the physical address.
  const uint64_t begin = reinterpret_cast<uintptr_t>(pages_);
  return {begin, begin + size_};
}

}  // namespace svsm
