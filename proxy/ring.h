// SPDX-License-Identifier: Apache-2.0
//
// The two ends of a single-producer single-consumer byte ring in shared
// memory. Indexes are free-running byte counts. Each end keeps its own index
// privately, reads the other's once per call and checks it before use.
//   kDataLoss (kRingIndexWild): the other side's index went backwards or past
//   what the ring can hold. The end stays broken.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "proxy/page_layout.h"
#include "proxy/shared_range.h"

namespace proxy {

struct RingPlace {
  uint32_t head;  // offset of the producer's index
  uint32_t tail;  // offset of the consumer's index
  uint32_t data;  // offset of kRingSize bytes
};
inline constexpr RingPlace kToHostRing = {page::kToHostHead, page::kToHostTail,
                                          page::kToHostData};
inline constexpr RingPlace kToGuestRing = {
    page::kToGuestHead, page::kToGuestTail, page::kToGuestData};

class RingWriter {
 public:
  // Starts at index 0 and writes it to the page.
  void Reset(const SharedRange& range, const RingPlace& place);
  // Takes as many bytes as there is room for and returns how many.
  base::Result<size_t> Write(base::Bytes bytes);

 private:
  SharedRange range_;
  RingPlace place_ = {};
  uint32_t head_ = 0;
  uint32_t tail_seen_ = 0;
};

class RingReader {
 public:
  void Reset(const SharedRange& range, const RingPlace& place);
  // Moves as many bytes as are there and fit; 0: none.
  base::Result<size_t> Read(base::MutableBytes out);
  // Bytes that are there, without taking them.
  base::Result<size_t> Available();

 private:
  SharedRange range_;
  RingPlace place_ = {};
  uint32_t tail_ = 0;
  uint32_t head_seen_ = 0;
};

}  // namespace proxy
