// SPDX-License-Identifier: Apache-2.0
//
// Search of memory for secrets that have no business there.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <bitset>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace emulator::machine::testing {

// Secrets, and one pass through memory for all of them.
class Needles {
 public:
  // 16 bytes of a secret count as found where they stand, if they begin at a
  // multiple of 8 in it: so any 23 bytes of it in a row are found.
  static constexpr size_t kWindow = 16;

  // At least kWindow bytes. `name` is for complaints.
  void Add(std::string name, base::Bytes secret);

  size_t size() const { return secrets_.size(); }
  const std::string& name(size_t index) const { return secrets_[index].name; }

  struct Hit {
    size_t index = 0;    // of the secret
    size_t offset = 0;   // in the memory
    bool whole = false;  // All of the secret stands there.
  };
  // Each window that stands in `memory`, in ascending offset.
  std::vector<Hit> FindIn(base::Bytes memory) const;
  // For each secret how often all of it stands there.
  std::vector<size_t> CountIn(base::Bytes memory) const;

 private:
  struct Secret {
    std::string name;
    std::vector<uint8_t> bytes;
  };
  std::vector<Secret> secrets_;
  // The first two bytes of all windows.
  std::bitset<65536> starts_;
};

// The parts of `memory`, whole pages of a mapping, that anybody ever wrote or
// read: the rest is zeros and need not be searched.
std::vector<base::Bytes> ResidentParts(base::Bytes memory);

}  // namespace emulator::machine::testing
