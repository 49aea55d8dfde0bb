// SPDX-License-Identifier: Apache-2.0
//
// The tables of a policy that speak of a report and of who signed it.
#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "verifier/policy/policy.h"
#include "verifier/policy/policy_tables.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr uint64_t kLowestUnknownBit = 26;
constexpr size_t kMaxCspId = 256;
constexpr std::string_view kImagePrefix = "image:";

static_assert((sev::kPolicyKnownBits >> kLowestUnknownBit) == 0);

using Empty = TomlTable::Empty;
using hosted::IsWord;
using hosted::ReadHex;

// "any", or a list of hex values.
template <size_t kSize>
void ReadOneOf(TomlTable& reader, std::string_view key,
               OneOf<std::array<uint8_t, kSize>>& out) {
  const toml::node* node = reader.Require(key);
  if (node == nullptr) return;
  if (IsWord(*node, "any")) {
    out.any = true;
  } else if (!node->is_array()) {
    reader.Bad(*node, key,
               absl::StrCat("want \"any\", or a list of values of ", 2 * kSize,
                            " hex digits"));
  } else {
    ReadDigests(reader, key, *node, "", out.values);
  }
}

void ReadMeasurement(TomlTable& reader, Policy& policy) {
  constexpr std::string_view kKey = "measurement";
  const toml::node* node = reader.Require(kKey);
  if (node == nullptr) return;
  if (IsWord(*node, "any")) {
    policy.measurement.any = true;
    return;
  }
  reader.Strings(kKey, *node, Empty::kRefused,
                 [&](std::string_view text, const toml::node& at) {
                   ossl::Digest384 digest;
                   if (text.starts_with(kImagePrefix)) {
                     const auto name = text.substr(kImagePrefix.size());
                     for (const auto& [known, value] : policy.images) {
                       if (known != name) continue;
                       policy.measurement.values.push_back(value);
                       return;
                     }
                     reader.Fail(kPolicyUnknownImage, at, kKey,
                                 absl::StrCat("no ", name, " under [images]"));
                   } else if (!ReadHex(text, "", digest)) {
                     reader.Bad(
                         at, kKey,
                         "want 96 hex digits, or \"image:\" and a name under "
                         "[images]");
                   } else {
                     policy.measurement.values.push_back(digest);
                   }
                 });
}

// Something must say what runs: the image's digest, or the key that signs such
// images with a version below which none is taken. No ID block at all reads as
// a digest of zeros, so that is no key.
void CheckPinned(TomlTable& reader, const Policy& policy) {
  if (!reader.ok() || !policy.measurement.any) return;
  const auto& keys = policy.id_key_digest;
  const bool unsigned_image = std::find(keys.values.begin(), keys.values.end(),
                                        ossl::Digest384{}) != keys.values.end();
  if (keys.any || unsigned_image || policy.minimum_guest_svn.any) {
    reader.FailAt(kPolicyUnpinned, "measurement",
                  "\"any\" needs digests in id_key_digest, none of them zero, "
                  "and a number in minimum_guest_svn");
  }
}

bool IsCoreBit(uint64_t bit) {
  return bit == sev::kPolicyDebug || bit == sev::kPolicyMigrationAgent;
}

BitRule ReadBitRule(TomlTable& reader, const sev::NamedBit& bit, bool fixed) {
  const std::string word = reader.String(bit.name);
  if (!reader.ok()) return BitRule::kForbidden;
  const bool known = word == "required" || word == "any";
  if (fixed && known) {
    reader.FailAt(kPolicyWeakensCore, bit.name,
                  "want \"forbidden\": no policy can allow what every guest "
                  "is refused for");
  } else if (!known && word != "forbidden") {
    reader.BadAt(bit.name, "want \"required\", \"forbidden\" or \"any\"");
  }
  if (word == "required") return BitRule::kRequired;
  return word == "any" ? BitRule::kAny : BitRule::kForbidden;
}

void ReadMinimumAbi(TomlTable& reader, Minimum<AbiVersion>& out) {
  constexpr std::string_view kKey = "minimum_abi";
  const std::string text = reader.String(kKey);
  if (!reader.ok()) return;
  if (text == "any") {
    out.any = true;
    return;
  }
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  uint32_t major = 0, minor = 0;
  const bool plain = text.find_first_not_of("0123456789.") == text.npos;
  if (!plain || parts.size() != 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(parts[1], &minor) || major > 0xFF || minor > 0xFF) {
    reader.BadAt(kKey, "want \"any\", or major and minor as in \"1.55\"");
    return;
  }
  out.value = {static_cast<uint8_t>(major), static_cast<uint8_t>(minor)};
}

void ReadUnknownBits(TomlTable& reader, Policy& policy) {
  constexpr std::string_view kKey = "unknown_bits";
  const toml::node* node = reader.Require(kKey);
  if (node == nullptr) return;
  for (const toml::node* element : reader.List(kKey, *node, Empty::kAllowed)) {
    policy.guest_policy_bits |=
        uint64_t{1} << reader.Integer(kKey, *element, kLowestUnknownBit, 63,
                                      "want bit numbers, 26 to 63");
  }
}

void ReadVlek(TomlTable& reader, VlekRule& out) {
  constexpr std::string_view kKey = "vlek";
  const toml::node* node = reader.Require(kKey);
  if (node == nullptr || IsWord(*node, "refused")) return;
  if (IsWord(*node, "any")) {
    out.kind = VlekRule::Kind::kAny;
    return;
  }
  if (!node->is_array()) {
    reader.Bad(*node, kKey, "want \"refused\", \"any\" or a list of CSP ids");
    return;
  }
  out.kind = VlekRule::Kind::kCspIds;
  reader.Strings(kKey, *node, Empty::kRefused,
                 [&](const std::string& text, const toml::node& at) {
                   if (text.empty() || text.size() > kMaxCspId) {
                     reader.Bad(at, kKey, "want a CSP id of 1 to 256 bytes");
                   }
                   out.csp_ids.push_back(text);
                 });
}

void ReadChips(TomlTable& reader, std::string_view key, const toml::node& node,
               Empty empty, std::vector<ChipId>& out) {
  reader.Strings(key, node, empty,
                 [&](std::string_view text, const toml::node& at) {
                   ChipId chip{};
                   std::array<uint8_t, 8> turin;
                   if (ReadHex(text, "", turin)) {
                     std::copy(turin.begin(), turin.end(), chip.begin());
                   } else if (!ReadHex(text, "", chip)) {
                     reader.Bad(at, key,
                                "want chip ids of 128 hex digits, or 16 for "
                                "Turin");
                     return;
                   }
                   if (chip == ChipId{}) {
                     reader.Bad(at, key, "zeros are no chip: a masked chip id");
                     return;
                   }
                   out.push_back(chip);
                 });
}

void ReadCrl(TomlTable& reader, Policy& policy) {
  const std::string word = reader.String("crl");
  if (!reader.ok()) return;
  policy.crl_required = word != "if-present";
  if (word != "required" && word != "if-present") {
    reader.BadAt("crl", "want \"required\" or \"if-present\"");
  }
}

uint8_t ReadSpl(TomlTable& reader, std::string_view key) {
  const toml::node* node = reader.Require(key);
  if (node == nullptr) return 0xFF;
  return static_cast<uint8_t>(
      reader.Integer(key, *node, 0, 0xFF, "want a number, 0 to 255"));
}

TcbFloor ReadFloor(TomlTable& product, std::string_view key, sev::Product of) {
  TcbFloor floor;
  const toml::node* node = product.Require(key);
  if (node == nullptr) return floor;
  if (IsWord(*node, "any")) {
    floor.any = true;
    return floor;
  }
  if (!node->is_table()) {
    product.Bad(*node, key,
                "want \"any\", or { boot_loader = ..., tee = ..., snp = ..., "
                "microcode = ... }, with fmc on Turin");
    return floor;
  }
  TomlTable reader = product.Table(key);
  if (of == sev::Product::kTurin) floor.value.fmc = ReadSpl(reader, "fmc");
  floor.value.boot_loader = ReadSpl(reader, "boot_loader");
  floor.value.tee = ReadSpl(reader, "tee");
  floor.value.snp = ReadSpl(reader, "snp");
  floor.value.microcode = ReadSpl(reader, "microcode");
  reader.RefuseUnknown();
  return floor;
}

}  // namespace

void ReadLaunch(TomlTable& top, Policy& policy) {
  TomlTable reader = top.Table("launch");
  ReadMeasurement(reader, policy);
  ReadOneOf(reader, "id_key_digest", policy.id_key_digest);
  ReadOneOf(reader, "author_key_digest", policy.author_key_digest);
  ReadOneOf(reader, "family_id", policy.family_id);
  ReadOneOf(reader, "image_id", policy.image_id);
  ReadOneOf(reader, "host_data", policy.host_data);
  if (const toml::node* node = reader.Require("minimum_guest_svn")) {
    if (IsWord(*node, "any")) {
      policy.minimum_guest_svn.any = true;
    } else {
      policy.minimum_guest_svn.value = static_cast<uint32_t>(
          reader.Integer("minimum_guest_svn", *node, 0, 0xFFFFFFFF,
                         "want \"any\", or a number, 0 to 4294967295"));
    }
  }
  CheckPinned(reader, policy);
  reader.RefuseUnknown();
}

void ReadGuestPolicy(TomlTable& top, Policy& policy) {
  TomlTable reader = top.Table("guest_policy");
  for (size_t i = 0; i < policy.guest_policy.size(); ++i) {
    const sev::NamedBit& bit = sev::kPolicyBits[i];
    policy.guest_policy[i] = ReadBitRule(reader, bit, IsCoreBit(bit.bit));
  }
  ReadMinimumAbi(reader, policy.minimum_abi);
  ReadUnknownBits(reader, policy);
  reader.RefuseUnknown();
}

void ReadPlatformInfo(TomlTable& top, Policy& policy) {
  TomlTable reader = top.Table("platform_info");
  for (size_t i = 0; i < policy.platform_info.size(); ++i) {
    policy.platform_info[i] =
        ReadBitRule(reader, sev::kPlatformInfoBits[i], false);
  }
  reader.RefuseUnknown();
}

void ReadSigner(TomlTable& top, Policy& policy) {
  TomlTable reader = top.Table("signer");
  ReadVlek(reader, policy.vlek);
  if (const toml::node* node = reader.Require("chips")) {
    policy.chips.any = IsWord(*node, "any");
    if (!policy.chips.any) {
      ReadChips(reader, "chips", *node, Empty::kRefused, policy.chips.values);
    }
  }
  if (const toml::node* node = reader.Require("chips_denied")) {
    ReadChips(reader, "chips_denied", *node, Empty::kAllowed,
              policy.chips_denied);
  }
  ReadCrl(reader, policy);
  reader.RefuseUnknown();
}

void ReadMinimumTcb(TomlTable& top, Policy& policy) {
  TomlTable reader = top.Table("minimum_tcb");
  for (ProductRule& rule : policy.products) {
    TomlTable product = reader.Table(WordOf(rule.product));
    rule.reported = ReadFloor(product, "reported", rule.product);
    rule.committed = ReadFloor(product, "committed", rule.product);
    rule.launch = ReadFloor(product, "launch", rule.product);
    product.RefuseUnknown();
  }
  reader.RefuseUnknown();
}

}  // namespace verifier
