// SPDX-License-Identifier: Apache-2.0
//
// Which chains a host's daemon shall send: of each chip and TCB of which a VCEK
// is at hand, and of each provider and TCB, the one that will verify.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "proto/channel.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/leaf_facts.h"

namespace verifier {

using ChipId = std::array<uint8_t, proto::channel::kChipIdSize>;

// For which reports a leaf is.
struct LeafName {
  SignerKind kind = SignerKind::kVcek;
  ChipId chip_id{};  // Of a VCEK, as reports have it: on Turin 8 bytes, zeros.
  std::string csp_id;  // Of a VLEK, as its certificate has it.
  uint64_t tcb = 0;    // REPORTED_TCB, as reports of the product have it.
};

// Everything in DER. Empty: no current list is at hand.
struct PreparedChain {
  LeafName name;
  std::vector<uint8_t> leaf, intermediate, root, crl;
};

struct LeafWithoutChain {
  LeafName name;
  std::string what;  // The leaf's file, and why nothing fits.
};

struct Choice {
  std::vector<PreparedChain> chains;
  std::vector<LeafWithoutChain> left_out;
};

// `now`: seconds since 1970. A chain that is chosen verifies up to a root of
// `roots` now, and nothing of it is revoked.
Choice ChooseChains(const Endorsements& all,
                    std::span<const AcceptedRoot> roots, time_t now);

}  // namespace verifier
