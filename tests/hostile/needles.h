// SPDX-License-Identifier: Apache-2.0
//
// Search of memory for secrets that have no business there.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"

namespace hostile {

// Secrets, and one pass through memory for all of them.
class Needles {
 public:
  // Memory is looked at in words of 8 bytes, each against every word of a
  // secret, and what is found is kWindow bytes long. So any kShortest bytes of
  // a secret in a row are found, wherever they stand.
  static constexpr size_t kWord = 8;
  static constexpr size_t kWindow = 2 * kWord;
  static constexpr size_t kShortest = kWindow + kWord - 1;

  // At least kShortest bytes, no eight of them zeros. `name` is for complaints.
  void Add(std::string name, base::Bytes secret);

  size_t size() const { return secrets_.size(); }
  const std::string& name(size_t index) const { return secrets_[index].name; }

  struct Hit {
    size_t index = 0;    // of the secret
    size_t offset = 0;   // in the memory
    bool whole = false;  // the first window of a whole secret
  };
  // Each window that stands in `memory` at a multiple of kWord, in ascending
  // offset.
  std::vector<Hit> FindIn(base::Bytes memory) const;
  // For each secret how often all of it stands there.
  std::vector<size_t> CountIn(base::Bytes memory) const;

 private:
  struct Secret {
    std::string name;
    std::vector<uint8_t> bytes;
  };
  struct Place {
    size_t index;  // of the secret
    size_t at;     // in it
  };

  std::vector<Secret> secrets_;
  std::unordered_multimap<uint64_t, Place> words_;
  // The lower half of each word in words_: nearly all of memory ends here.
  std::bitset<65536> starts_;
};

// The parts of `memory`, whole pages of a mapping, that may hold anything: what
// mincore() calls resident or /proc/self/pagemap present or swapped out. The
// rest of an anonymous private mapping is zeros, never written. Of a file's
// mapping it is what neither this process nor the page cache has: no guest
// memory of the tests is one. All of it, where the kernel does not say.
std::vector<base::Bytes> ResidentParts(base::Bytes memory);
// The same of what the kernel said, one element a page: bytes of mincore() and
// entries of pagemap (none: it could not be read).
std::vector<base::Bytes> ResidentParts(base::Bytes memory,
                                       std::span<const unsigned char> resident,
                                       std::span<const uint64_t> pagemap);

}  // namespace hostile
