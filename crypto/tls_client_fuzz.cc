// SPDX-License-Identifier: Apache-2.0
//
// A server that says anything at all to a TLS client. The client's randomness
// is the same in every run, so what a real server once said to it (the seed)
// decrypts again, and mutations get past the first message.
#include <algorithm>
#include <vector>

#include "base/testing/memory_pipe.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/testing/tls_server.h"
#include "crypto/tls_client.h"
#include "tools/fuzz_seed.h"

namespace {

using base::Result;
using base::Step;
using crypto::testing::KeyKind;
using crypto::testing::MakeIdentity;

// One in a process; its pin is the fuzzed client's.
const crypto::testing::Identity& ServerIdentity() {
  static const auto* const identity =
      new crypto::testing::Identity(MakeIdentity(KeyKind::kP256));
  return *identity;
}

struct Client {
  Client() {
    const crypto::Pin pin = ServerIdentity().Pin();
    (void)tls.Start(pipe.a, rng, {&pin, 1});
  }
  crypto::testing::SeededRng rng;
  base::testing::MemoryPipe pipe;
  crypto::TlsClient tls;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Client client;
  (void)client.pipe.b.Write({data, size});
  client.pipe.b.Close();
  Result<Step> step = Step::kWaiting;
  for (int i = 0; i < 100 && step.ok() && *step == Step::kWaiting; ++i) {
    step = client.tls.Handshake();
  }
  if (!step.ok()) return 0;
  if (*step == Step::kWaiting) __builtin_trap();  // It waits for what is gone.
  uint8_t out[64];
  while (client.tls.Read(out).ok()) {
  }
  return 0;
}

// The first record of a real server: ServerHello. What follows it is long and
// encrypted, and changing it fails at the first tag.
extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  Client client;
  std::vector<uint8_t> said;
  client.pipe.b.set_change([&said](size_t, uint8_t byte) {
    said.push_back(byte);
    return byte;
  });
  crypto::testing::TlsServer server(client.pipe.b, ServerIdentity());
  (void)client.tls.Handshake();
  (void)server.Handshake();
  if (said.size() < 5) __builtin_trap();
  const size_t record = 5 + (size_t{said[3]} << 8 | said[4]);
  const size_t size = std::min({record, said.size(), capacity});
  std::copy_n(said.begin(), size, out);
  return size;
}
