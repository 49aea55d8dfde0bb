// SPDX-License-Identifier: Apache-2.0
//
// What a TLS session takes of the heap, and leaves.
#include <array>

#include "base/testing/memory_pipe.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/testing/heap_watch.h"
#include "crypto/testing/tls_server.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"

namespace crypto {
namespace {

using base::Result;
using base::Status;
using base::Step;
using base::testing::MemoryPipe;
using testing::HeapWatch;
using testing::Identity;
using testing::KeyKind;
using testing::MakeIdentity;
using testing::TlsServer;

struct Client {
  testing::SeededRng rng;
  TlsClient tls;
};

// The guest has 128 KiB of heap (design section 9).
TEST(TlsClientHeapTest, PeakAndNothingLeft) {
  Client client;
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kP384}) {
    MemoryPipe pipe;
    const Identity identity = MakeIdentity(kind);
    const Pin pin = identity.Pin();
    HeapWatch heap;
    ASSERT_TRUE(client.tls.Start(pipe.a, client.rng, {&pin, 1}).ok());
    {
      TlsServer server(pipe.b, identity);
      Result<Step> step = Step::kWaiting;
      for (int k = 0; k < 10 && *step == Step::kWaiting; ++k) {
        step = client.tls.Handshake();
        ASSERT_TRUE(step.ok());
        (void)server.Handshake();
      }
      ASSERT_EQ(*step, Step::kDone);
    }
    std::array<uint8_t, 48> out;
    EXPECT_TRUE(client.tls.Export("EXPORTER-test", {}, out).ok());
    const size_t open = heap.now();
    client.tls.Wipe();
    RecordProperty("heap_peak", static_cast<int>(heap.peak()));
    printf("heap: peak %zu bytes, %zu while open, %zu allocations\n",
           heap.peak(), open, heap.allocations());
    EXPECT_LT(heap.peak(), 64u * 1024);
    EXPECT_EQ(heap.now(), 0u);
  }
}

// Whichever allocation fails: an error, no crash, nothing left. (Mbed TLS says
// "handshake failure" for some, so the reason is not always kTlsOutOfMemory.)
TEST(TlsClientHeapTest, EveryAllocationMayFail) {
  Client client;
  const Identity identity = MakeIdentity(KeyKind::kP256);
  const Pin pin = identity.Pin();
  bool done = false;
  for (size_t limit = 0; !done; limit += 1 + limit / 16) {
    MemoryPipe pipe;
    HeapWatch heap;
    heap.FailAfter(limit);
    Result<Step> step = Step::kWaiting;
    if (const Status status = client.tls.Start(pipe.a, client.rng, {&pin, 1});
        !status.ok()) {
      step = status;
    } else {
      TlsServer server(pipe.b, identity);
      for (int k = 0; k < 10 && step.ok() && *step == Step::kWaiting; ++k) {
        step = client.tls.Handshake();
        (void)server.Handshake();
      }
    }
    done = step.ok() && *step == Step::kDone;
    client.tls.Wipe();
    EXPECT_EQ(heap.now(), 0u) << limit;
    ASSERT_LT(limit, 1'000'000u);
  }
}

}  // namespace
}  // namespace crypto
