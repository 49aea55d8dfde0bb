// SPDX-License-Identifier: Apache-2.0
//
// Policy: what a guest owner writes, as a value. docs/policy.md is the
// reference of the file.
//
// Complete: every check has a value, and one that is off was written as "any".
// What is default-constructed allows nothing.
// A policy adds to the verifier's fixed core and can take nothing from it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "sev/guest_policy.h"
#include "sev/platform_info.h"
#include "sev/product.h"
#include "sev/tcb.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

using IdBytes = std::array<uint8_t, 16>;
using HostData = std::array<uint8_t, 32>;
using ChipId = std::array<uint8_t, 64>;  // Turin: 8 bytes, then zeros.

// One field: anything, or one of `values`.
template <typename T>
struct OneOf {
  bool any = false;
  std::vector<T> values;

  bool Allows(const T& seen) const {
    return any || std::find(values.begin(), values.end(), seen) != values.end();
  }
};

enum class BitRule : uint8_t { kForbidden, kRequired, kAny };

// "any", or at least `value`.
template <typename T>
struct Minimum {
  bool any = false;
  T value{};
};

// The ABI that the guest demands of the firmware.
struct AbiVersion {
  uint8_t major = 0xFF, minor = 0xFF;
  friend auto operator<=>(const AbiVersion&, const AbiVersion&) = default;
};

using TcbFloor = Minimum<sev::Tcb>;

// A product that may be, and how old its firmware may be.
struct ProductRule {
  sev::Product product = sev::Product::kGenoa;
  TcbFloor reported, committed, launch;
};

struct VlekRule {
  enum class Kind { kRefused, kCspIds, kAny };
  Kind kind = Kind::kRefused;
  std::vector<std::string> csp_ids;
};

struct BootRule {
  enum class Kind {
    kDigests,  // One of `digests`.
    kNone,     // ACPI only: the guest hands no tables on.
    kAny,      // Needs unattested_boot.
  };
  Kind kind = Kind::kDigests;
  std::vector<ossl::Digest384> digests;
};

struct Policy {
  std::string name;
  std::vector<std::string> vms;      // Patterns.
  std::vector<std::string> secrets;  // Patterns, perhaps with {vm}.
  // A version 1 policy from an old store: governs its paths, grants nothing.
  // Only what stands above and `roots` is read.
  bool outdated = false;

  std::vector<ossl::Digest256> roots;
  std::vector<ProductRule> products;
  OneOf<uint32_t> report_versions;
  // May REPORTED_TCB or COMMITTED_TCB be above CURRENT_TCB?
  bool tcb_above_current = false;

  // [images]: names for launch digests.
  std::vector<std::pair<std::string, ossl::Digest384>> images;

  // [launch]
  OneOf<ossl::Digest384> measurement;
  OneOf<ossl::Digest384> id_key_digest;
  OneOf<ossl::Digest384> author_key_digest;
  OneOf<IdBytes> family_id;
  OneOf<IdBytes> image_id;
  OneOf<HostData> host_data;
  Minimum<uint32_t> minimum_guest_svn;

  // [guest_policy] and [platform_info]: as the tables of sev/ have them.
  std::array<BitRule, std::size(sev::kPolicyBits)> guest_policy{};
  Minimum<AbiVersion> minimum_abi;
  // Bits that may be set although the fixed core does not know them.
  uint64_t guest_policy_bits = 0;
  std::array<BitRule, std::size(sev::kPlatformInfoBits)> platform_info{};

  // [signer]
  VlekRule vlek;
  OneOf<ChipId> chips;
  std::vector<ChipId> chips_denied;
  bool crl_required = true;

  // [boot]
  bool unattested_boot = false;
  BootRule kernel;
  BootRule initrd;
  BootRule command_line;
  BootRule acpi;

  // `file` names the text in messages. InvalidArgument, with the reason, file,
  // line, column and field: not a policy.
  static absl::StatusOr<Policy> Parse(std::string_view text,
                                      std::string_view file);
  // As Parse(), for what an older program may have stored: version 1 is read as
  // `outdated`, so that it can be listed and replaced.
  static absl::StatusOr<Policy> ParseStored(std::string_view text,
                                            std::string_view file);

  bool SpeaksFor(std::string_view vm) const;
  // May this VM have that path by the secrets of this policy?
  bool Gives(std::string_view vm, std::string_view path) const;
  // Every path that it governs, for any VM, as patterns without {vm}.
  std::vector<std::string> GovernedPatterns() const;
  bool Governs(std::string_view path) const;
  // A path pattern that {vm} would give to two VMs, because their names have
  // different numbers of parts or {vm} stands at different places; empty if
  // there is none. Parse refuses such a policy.
  std::string AmbiguousPath() const;
  // Emulated policies name no AMD root; Parse refuses a mixture.
  bool emulated() const;
  // null: not one of `products`.
  const ProductRule* RuleFor(sev::Product product) const;
};

// "milan": how policies spell a product.
std::string WordOf(sev::Product product);

// A pattern that both govern; empty if there is none.
std::string SharedPath(const Policy& a, const Policy& b);

}  // namespace verifier
