// SPDX-License-Identifier: Apache-2.0
//
// ReadWatch: which bytes of shared memory a guest reads twice although nothing
// new can be there. What was checked in the first read need not be what is
// used in the second.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "machine/cause.h"

namespace hostile {

using machine::Cause;

// What makes a second read an honest one: since the first, the guest has asked
// the host for something new there. Bits.
enum class Renewal : uint8_t {
  kNever = 0,      // Nothing that the guest has any use for.
  kAnyExit = 1,    // VMGEXIT
  kFwCfg = 2,      // VMGEXIT that starts a transfer of fw_cfg
  kRequest = 4,    // VMGEXIT with a guest request
  kPause = 8,      // PAUSE: the guest polls
  kStore = 16,     // a store to SharedPlace::renewed_by
  kLook = 32,      // a read of SharedPlace::renewed_by
  kAnyTime = 128,  // a word that is compared with the guest's own, each time
};
constexpr Renewal operator|(Renewal a, Renewal b) {
  return static_cast<Renewal>(static_cast<uint8_t>(a) |
                              static_cast<uint8_t>(b));
}

// Bytes that the host writes, and the guest reads.
struct SharedPlace {
  std::string name;
  uint64_t gpa = 0;
  uint64_t size = 0;
  Renewal renewal = Renewal::kNever;
  struct By {
    uint64_t gpa = 0, size = 0;
  };
  By renewed_by;  // of kStore and kLook
};

class ReadWatch {
 public:
  // A byte belongs to the last place that names it.
  explicit ReadWatch(std::vector<SharedPlace> places);

  // What is wrong with a read of [gpa, gpa + size): read before, or in no
  // place. Nothing: it is a first read.
  std::optional<std::string> Read(uint64_t gpa, size_t size);
  void Stored(uint64_t gpa, size_t size);
  void Exited(Cause cause);
  void Paused();

  // Whether a byte at `gpa` is one that may be read at any time, or polled.
  bool Polled(uint64_t gpa) const;
  // Reads so far of the place of this name.
  uint64_t reads(const std::string& name) const;
  const std::vector<SharedPlace>& places() const { return places_; }

 private:
  struct Marks {
    std::vector<bool> read;     // by byte of the place
    std::vector<uint64_t> set;  // those that are
    uint64_t reads = 0;
  };
  void Renew(Renewal because);
  // Those places that an access to [gpa, gpa + size) renews.
  void RenewBy(Renewal because, uint64_t gpa, size_t size);
  void Forget(Marks& marks);
  std::optional<size_t> PlaceOf(uint64_t gpa) const;

  const std::vector<SharedPlace> places_;
  std::vector<Marks> marks_;  // by place
};

}  // namespace hostile
