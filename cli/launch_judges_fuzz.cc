// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses the kind, the rest is its main file.
#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/launch_judges.h"
#include "sev/id_block.h"
#include "tools/fuzz_seed.h"
#include "verifier/conformance/judge.h"
#include "verifier/evidence/appraisal.h"

namespace {

constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"launch-measurement", "vector"},
    {"id-block", "id-block"},
    {"id-block", "id-auth-info"},
};

constexpr std::string_view kPages =
    R"({"expected_launch_digest": "000000000000000000000000000000000000)"
    R"(000000000000000000000000000000000000000000000000000000000000", )"
    R"("page_info_updates": {"rows": [[3, "0x1000", "0000000000000000000)"
    R"(00000000000000000000000000000000000000000000000000000000000000000)"
    R"(000000000000"]]}})";

// The number is that of the kind.
std::vector<std::vector<uint8_t>> MakeSeeds() {
  const auto block = sev::EncodeIdBlock({});
  std::vector<std::vector<uint8_t>> seeds = {{kPages.begin(), kPages.end()},
                                             {block.begin(), block.end()}};
  for (uint8_t i = 0; i < seeds.size(); ++i) {
    seeds[i].insert(seeds[i].begin(), i);
  }
  return seeds;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto& [kind, role] = kKinds[data[0] % std::size(kKinds)];
  verifier::conformance::VectorEntry entry;
  entry.kind = kind;
  verifier::conformance::LoadedVector vector{.entry = entry};
  const auto block = sev::EncodeIdBlock({});
  vector.files["id-block"].assign(block.begin(), block.end());
  vector.files[std::string(role)].assign(data + 1, data + size);
  const auto judgement =
      verifier::conformance::Judge(vector, {.more_kinds = cli::LaunchJudges()});
  if ((judgement.verdict == verifier::Verdict::kInvalid) ==
      judgement.failing_checks.empty()) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  static const auto& seeds =
      *new std::vector<std::vector<uint8_t>>(MakeSeeds());
  if (index >= seeds.size() || seeds[index].size() > capacity) return 0;
  std::ranges::copy(seeds[index], out);
  return seeds[index].size();
}
