// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/needles.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hostile {
namespace {

constexpr size_t kPage = 4096;

template <typename T>
T Load(const uint8_t* at) {
  T value;
  memcpy(&value, at, sizeof(value));
  return value;
}

// Of the pages of `memory`; empty: it cannot be read.
std::vector<uint64_t> ReadPagemap(base::Bytes memory) {
  const int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::vector<uint64_t> entries((memory.size() + kPage - 1) / kPage);
  const size_t size = entries.size() * sizeof(entries[0]);
  // EDGE: the address as a number.
  const auto at = reinterpret_cast<uintptr_t>(memory.data()) / kPage;
  const ssize_t got = pread(file, entries.data(), size,
                            static_cast<off_t>(at * sizeof(entries[0])));
  close(file);
  if (got < 0 || static_cast<size_t>(got) != size) return {};
  return entries;
}

}  // namespace

void Needles::Add(std::string name, base::Bytes secret) {
  if (secret.size() < kShortest) abort();
  for (size_t at = 0; at + kWindow <= secret.size(); ++at) {
    const auto word = Load<uint64_t>(&secret[at]);
    if (word == 0) abort();  // FindIn() skips zeros
    words_.emplace(word, Place{.index = secrets_.size(), .at = at});
    starts_.set(static_cast<uint16_t>(word));
  }
  secrets_.push_back({std::move(name), {secret.begin(), secret.end()}});
}

std::vector<Needles::Hit> Needles::FindIn(base::Bytes memory) const {
  std::vector<Hit> hits;
  const uint8_t* const begin = memory.data();
  for (size_t at = 0; at + kWindow <= memory.size(); at += kWord) {
    const auto word = Load<uint64_t>(begin + at);
    if (word == 0 || !starts_[static_cast<uint16_t>(word)]) continue;
    const auto [first, end] = words_.equal_range(word);
    for (auto it = first; it != end; ++it) {
      const Place place = it->second;
      const std::vector<uint8_t>& secret = secrets_[place.index].bytes;
      if (memcmp(begin + at, &secret[place.at], kWindow) != 0) continue;
      // Each whole secret has one window that begins in its first word.
      const bool whole =
          place.at < kWord && at >= place.at &&
          memory.size() - (at - place.at) >= secret.size() &&
          memcmp(begin + at - place.at, secret.data(), secret.size()) == 0;
      hits.push_back({.index = place.index, .offset = at, .whole = whole});
    }
  }
  return hits;
}

std::vector<size_t> Needles::CountIn(base::Bytes memory) const {
  std::vector<size_t> counts(secrets_.size());
  for (const Hit& hit : FindIn(memory)) counts[hit.index] += hit.whole ? 1 : 0;
  return counts;
}

std::vector<base::Bytes> ResidentParts(base::Bytes memory) {
  if (memory.empty()) return {};
  std::vector<unsigned char> resident((memory.size() + kPage - 1) / kPage);
  // EDGE: mincore asks for a pointer that is not const, and changes nothing.
  if (mincore(const_cast<uint8_t*>(memory.data()), memory.size(),
              resident.data()) != 0) {
    return {memory};
  }
  return ResidentParts(memory, resident, ReadPagemap(memory));
}

std::vector<base::Bytes> ResidentParts(base::Bytes memory,
                                       std::span<const unsigned char> resident,
                                       std::span<const uint64_t> pagemap) {
  // Linux Documentation/admin-guide/mm/pagemap.rst.
  constexpr uint64_t kPresent = uint64_t{1} << 63, kSwapped = uint64_t{1} << 62;
  if (pagemap.size() != resident.size()) return {memory};
  const auto wanted = [&](size_t page) {
    return (resident[page] & 1) != 0 ||
           (pagemap[page] & (kPresent | kSwapped)) != 0;
  };
  std::vector<base::Bytes> parts;
  for (size_t page = 0; page < resident.size();) {
    if (!wanted(page)) {
      ++page;
      continue;
    }
    const size_t first = page;
    while (page < resident.size() && wanted(page)) ++page;
    const size_t end = std::min(page * kPage, memory.size());
    parts.push_back(memory.subspan(first * kPage, end - first * kPage));
  }
  return parts;
}

}  // namespace hostile
