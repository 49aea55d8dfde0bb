// SPDX-License-Identifier: Apache-2.0
//
// A whole session whose peer says anything at all, and then zeros: a verdict is
// padded with them, and seeds without are short enough to change every bit.
#include <algorithm>
#include <memory>
#include <vector>

#include "attest/native_session.h"
#include "attest/testing/fake_channel.h"
#include "attest/testing/fake_evidence.h"
#include "attest/testing/scripted_verifier.h"
#include "base/testing/hex.h"
#include "base/testing/memory_pipe.h"
#include "tools/fuzz_seed.h"

namespace {

using attest::NativeSession;
using base::testing::FromText;

struct Session {
  Session() {
    wanted[0] = {name, attest::SecretKind::kLuks2, 64};
    (void)session->Start(channel, evidence, {name, wanted, manifest});
  }
  const std::vector<uint8_t> name = FromText("demo/vm1");
  const std::vector<uint8_t> manifest = FromText("manifest");
  attest::WantedSecret wanted[1];
  base::testing::MemoryPipe pipe;
  attest::testing::FakeChannel channel{pipe.a};
  attest::testing::FakeEvidence evidence;
  std::unique_ptr<NativeSession> session = std::make_unique<NativeSession>();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Session s;
  static constexpr uint8_t kZeros[8192] = {};
  (void)s.pipe.b.Write({data, size});
  (void)s.pipe.b.Write(kZeros);
  s.pipe.b.Close();
  base::Result<base::Step> step = base::Step::kWaiting;
  for (int i = 0; i < 100 && step.ok() && *step == base::Step::kWaiting; ++i) {
    step = s.session->Advance();
  }
  // It ends, and with secrets only if all of them are there.
  if (step.ok() && *step == base::Step::kWaiting) __builtin_trap();
  const bool granted =
      step.ok() && s.session->outcome() == proto::Outcome::kGranted;
  if (s.session->secrets().size() != (granted ? 1u : 0u)) __builtin_trap();
  return 0;
}

// The bytes of an honest verifier.
extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 1) return 0;
  Session s;
  attest::testing::FakeChannel owner{s.pipe.b};
  attest::testing::ScriptedVerifier verifier(owner);
  std::vector<uint8_t> said;
  s.pipe.b.set_change([&said](size_t, uint8_t byte) {
    said.push_back(byte);
    return byte;
  });
  if (index == 1) verifier.outcome = proto::Outcome::kTryLater;
  verifier.secrets = {{"demo/vm1", std::vector<uint8_t>(32, 1), true, 294912,
                       std::vector<uint8_t>(32, 2)}};
  for (int i = 0; i < 10; ++i) {
    (void)s.session->Advance();
    (void)verifier.Advance();
  }
  while (!said.empty() && said.back() == 0) said.pop_back();
  if (said.empty() || said.size() > capacity) __builtin_trap();
  std::copy(said.begin(), said.end(), out);
  return said.size();
}
