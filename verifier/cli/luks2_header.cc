// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/luks2_header.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hosted/status.h"
#include "nlohmann/json.hpp"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kBinaryHeader = 4096;
constexpr uint64_t kMaxMetadata = 4 * 1024 * 1024;  // Specification, 2.
constexpr uint64_t kSector = 512;
constexpr std::array<uint8_t, 6> kMagic = {'L', 'U', 'K', 'S', 0xBA, 0xBE};
constexpr size_t kVersionAt = 6;
constexpr size_t kSizeAt = 8;

absl::Status NotUsable(std::string_view why) {
  return Error(kLuksHeader, absl::StatusCode::kInvalidArgument, why);
}

// LUKS2 writes 64-bit numbers as JSON strings. 0: absent or malformed.
uint64_t Number(const Json& object, const char* key) {
  uint64_t number = 0;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string() ||
      !absl::SimpleAtoi(found->get<std::string>(), &number)) {
    return 0;
  }
  return number;
}

// "A header over 64 MiB": the metadata is small beside it.
absl::Status TooLarge(uint64_t keyslots) {
  constexpr uint64_t kMiB = 1024 * 1024;
  return NotUsable(absl::StrCat(
      "its keyslots area has ", keyslots / kMiB,
      " MiB, and a guest takes a header of ", kMaxLuks2Header / kMiB,
      " MiB at most, metadata and keyslots; format the disk with a smaller "
      "--luks2-keyslots-size"));
}

// 0 if it is absent or no natural number.
uint64_t Natural(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned()
             ? found->get<uint64_t>()
             : 0;
}

// Nothing here is checked but by cryptsetup: a keyslot that is odd has no
// argon2.
std::vector<Luks2Keyslot> KeyslotsOf(const Json& json) {
  std::vector<Luks2Keyslot> keyslots;
  const auto all = json.find("keyslots");
  if (all == json.end() || !all->is_object()) return keyslots;
  for (const auto& [name, slot] : all->items()) {
    Luks2Keyslot keyslot;
    if (!slot.is_object() || !absl::SimpleAtoi(name, &keyslot.number)) continue;
    const auto kdf = slot.find("kdf");
    if (kdf != slot.end() && kdf->is_object()) {
      keyslot.memory_kib = Natural(*kdf, "memory");
    }
    if (slot.contains("priority")) {
      keyslot.priority = static_cast<unsigned>(
          std::min<uint64_t>(Natural(slot, "priority"), 2));
    }
    keyslots.push_back(keyslot);
  }
  std::ranges::sort(keyslots, [](const auto& a, const auto& b) {
    return a.priority != b.priority ? a.priority > b.priority
                                    : a.number < b.number;
  });
  return keyslots;
}

// What a header that is not there, or is another, has in its place.
absl::Status NoLuks2(base::Bytes start) {
  constexpr std::string_view kFormat =
      "; cryptsetup luksFormat --type luks2 makes it one";
  if (start.size() < kBinaryHeader) {
    return NotUsable(absl::StrCat("it has ", start.size(),
                                  " bytes, no LUKS2 disk has so few"));
  }
  if (!base::Equal(start.first(kMagic.size()), kMagic)) {
    return NotUsable(absl::StrCat(
        "no LUKS magic at its start: it is not encrypted with LUKS, has its "
        "header in another file, or is a disk of which a partition is",
        kFormat));
  }
  const unsigned version =
      base::LoadBe<uint16_t>(start.subspan<kVersionAt, 2>());
  return NotUsable(
      version == 1
          ? absl::StrCat("LUKS version 1; cryptsetup convert --type luks2 "
                         "makes it version 2")
          : absl::StrCat("LUKS version ", version, ", and a guest takes 2"));
}

// A header that cryptsetup itself will change at the next open is no header to
// store the digest of.
bool IsBeingReencrypted(const Json& config) {
  const auto requirements = config.find("requirements");
  if (requirements == config.end() || !requirements->is_object()) return false;
  const auto mandatory = requirements->find("mandatory");
  if (mandatory == requirements->end() || !mandatory->is_array()) return false;
  return std::ranges::any_of(*mandatory, [](const Json& name) {
    return name.is_string() &&
           absl::StartsWith(name.get<std::string>(), "online-reencrypt");
  });
}

// Every data segment begins after the header and is encrypted.
absl::Status CheckSegments(const Json& json, uint64_t length) {
  const auto segments = json.find("segments");
  if (segments == json.end() || !segments->is_object() || segments->empty()) {
    return NotUsable("no segments");
  }
  for (const Json& segment : *segments) {
    if (!segment.is_object() || segment.value("type", Json()) != "crypt") {
      return NotUsable(
          "a segment that is not of type crypt: the drive encrypts itself, or "
          "nothing does");
    }
    const Json cipher = segment.value("encryption", Json());
    if (!cipher.is_string() ||
        cipher.get<std::string>().find("null") != std::string::npos) {
      return NotUsable("a segment without encryption");
    }
    const uint64_t offset = Number(segment, "offset");
    if (offset == 0) {
      return NotUsable(
          "its data begins at 0: a header in a file of its own; a guest takes "
          "it from the start of the disk");
    }
    if (offset < length) {
      return NotUsable("data that begins inside the header");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Luks2Header> ParseLuks2Header(base::Bytes start) {
  if (start.size() < kBinaryHeader ||
      !base::Equal(start.first(kMagic.size()), kMagic) ||
      base::LoadBe<uint16_t>(start.subspan<kVersionAt, 2>()) != 2) {
    return NoLuks2(start);
  }
  const uint64_t metadata = base::LoadBe<uint64_t>(start.subspan<kSizeAt, 8>());
  if (metadata <= kBinaryHeader || metadata > kMaxMetadata ||
      metadata % kBinaryHeader != 0) {
    return NotUsable(
        absl::StrCat("an impossible metadata size of ", metadata, " bytes"));
  }
  if (start.size() < metadata) {
    return NotUsable(absl::StrCat("cut off: its metadata has ", metadata,
                                  " bytes, it has ", start.size()));
  }
  const base::Bytes area =
      start.subspan(kBinaryHeader, metadata - kBinaryHeader);
  const auto* end =
      static_cast<const uint8_t*>(memchr(area.data(), 0, area.size()));
  const Json json =
      Json::parse(area.data(), end == nullptr ? area.data() + area.size() : end,
                  nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return NotUsable("metadata that is not JSON");
  const auto config = json.find("config");
  if (config == json.end() || !config->is_object()) {
    return NotUsable("no keyslots area");
  }
  if (IsBeingReencrypted(*config)) {
    return NotUsable(
        "a reencryption that has not ended: its header still changes; "
        "cryptsetup reencrypt goes on with it");
  }
  const uint64_t keyslots = Number(*config, "keyslots_size");
  if (keyslots == 0) return NotUsable("no keyslots area");
  if (keyslots % kSector != 0) {
    return NotUsable(
        absl::StrCat("a keyslots area of ", keyslots, " bytes: an odd size"));
  }
  if (keyslots > kMaxLuks2Header - 2 * metadata) return TooLarge(keyslots);
  Luks2Header header;
  header.length = 2 * metadata + keyslots;
  const absl::Status segments = CheckSegments(json, header.length);
  if (!segments.ok()) return segments;
  header.keyslots = KeyslotsOf(json);
  header.integrity = std::ranges::any_of(
      *json.find("segments"),
      [](const Json& segment) { return segment.contains("integrity"); });
  return header;
}

absl::StatusOr<Luks2Header> ReadLuks2Header(const std::string& device) {
  std::ifstream in(device, std::ios::binary);
  std::vector<char> bytes(kMaxMetadata);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in.is_open() || in.bad()) {
    return NotUsable(absl::StrCat(device, ": cannot be read",
                                  in.is_open() ? "" : ": ",
                                  in.is_open() ? "" : strerror(errno)));
  }
  const auto got = static_cast<size_t>(in.gcount());
  auto header = ParseLuks2Header(ossl::AsBytes({bytes.data(), got}));
  if (!header.ok()) {
    return NotUsable(
        absl::StrCat(device, ": ", hosted::DetailOf(header.status())));
  }
  bytes.resize(header->length);
  in.clear();
  in.seekg(0);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (static_cast<uint64_t>(in.gcount()) != header->length) {
    return NotUsable(absl::StrCat(device, ": shorter than its header"));
  }
  header->sha256 =
      ossl::Sha256::Of(ossl::AsBytes({bytes.data(), bytes.size()}));
  return header;
}

uint64_t Argon2MemoryKib(const Luks2Header& header,
                         std::optional<unsigned> opened) {
  uint64_t least = UINT64_MAX;
  uint64_t most = 0;
  for (const Luks2Keyslot& keyslot : header.keyslots) {
    least = std::min(least, keyslot.memory_kib);
    most = std::max(most, keyslot.memory_kib);
    if (opened && keyslot.number == *opened) return most;
  }
  return header.keyslots.empty() ? 0 : least;
}

}  // namespace verifier
