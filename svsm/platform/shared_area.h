// SPDX-License-Identifier: Apache-2.0
//
// SharedArea: pages of the image that the host may read and write, from Open()
// to Close(). Private before and after, and empty at each change.
#pragma once

#include <stdint.h>

#include "base/result.h"
#include "proxy/shared_range.h"
#include "svsm/platform/platform.h"

namespace svsm {

class SharedArea {
 public:
  // `pages` are page aligned and outlive the area; `size` in bytes, a multiple
  // of the page size. They are identity-mapped.
  constexpr SharedArea(uint8_t* pages, uint32_t size)
      : pages_(pages), size_(size) {}
  SharedArea(const SharedArea&) = delete;
  SharedArea& operator=(const SharedArea&) = delete;

  // Once. Any error, the platform's: what the host can reach is not known; the
  // boot must end, and nothing here touches the pages again.
  base::Status Open(Platform& platform);

  // Does nothing unless open, so that each way out may call it.
  base::Status Close(Platform& platform);

  // Zeroes the pages by plain stores while they are open: cannot wait, cannot
  // fail. For exceptions.
  void Clear();

  bool open() const { return open_; }
  proxy::SharedRange range() const;

 private:
  Range pages() const;

  uint8_t* pages_;
  uint32_t size_;
  bool open_ = false;
};

}  // namespace svsm
