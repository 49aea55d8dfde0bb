// SPDX-License-Identifier: Apache-2.0
//
// HostView: what the host may do with a guest's memory. Reads and writes reach
// shared pages only; private ones it can only take away.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "machine/memory.h"

namespace machine {

class HostView {
 public:
  // The bytes of [gpa, gpa + size) in the host's mapping, if every page of it
  // is RAM that is shared now; else empty. Valid until the state of one of the
  // pages changes. Never empty for a size of 0: do not ask.
  virtual base::MutableBytes Shared(uint64_t gpa, uint64_t size) = 0;

  virtual bool IsRam(uint64_t gpa, uint64_t size) const = 0;

  // Page state changes, of pages that are RAM. A page that is in the wanted
  // state already stays as it is, validated or not. A page that becomes private
  // is not validated and holds garbage; `large`: the reverse map table has it
  // as one page of 2 MiB where the range is a whole one.
  virtual void MakePrivate(uint64_t gpa, uint64_t size, bool large) = 0;
  virtual void MakeShared(uint64_t gpa, uint64_t size) = 0;

 protected:
  HostView() = default;
  ~HostView() = default;
  HostView(const HostView&) = delete;
  HostView& operator=(const HostView&) = delete;
};

}  // namespace machine
