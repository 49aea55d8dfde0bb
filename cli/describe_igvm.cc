// SPDX-License-Identifier: Apache-2.0
#include "cli/describe_igvm.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/image_input.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Hex(uint64_t value) { return absl::StrFormat("0x%x", value); }
std::string HexBytes(base::Bytes bytes) { return verifier::ossl::Hex(bytes); }

std::string PageTypeName(igvm::PageDataType type) {
  switch (type) {
    case igvm::PageDataType::kNormal:
      return "normal";
    case igvm::PageDataType::kSecrets:
      return "secrets";
    case igvm::PageDataType::kCpuid:
      return "cpuid";
    case igvm::PageDataType::kCpuidXf:
      return "cpuid-xf";
  }
  return absl::StrFormat("type 0x%x", static_cast<unsigned>(type));
}

std::string PageFlagNames(uint32_t flags) {
  std::string names;
  const auto add = [&](std::string_view name) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", name);
  };
  if ((flags & igvm::kPageIsLarge) != 0) add("2 MiB");
  if ((flags & igvm::kPageUnmeasured) != 0) add("unmeasured");
  if ((flags & igvm::kPageShared) != 0) add("shared");
  if ((flags & ~igvm::kKnownPageFlags) != 0) {
    add(Hex(flags & ~igvm::kKnownPageFlags));
  }
  return names;
}

Json SignatureJson(const igvm::EcdsaSignature& signature) {
  return {{"r", HexBytes(signature.r)}, {"s", HexBytes(signature.s)}};
}
Json KeyJson(const igvm::EcdsaPublicKey& key) {
  return {{"curve", key.curve}, {"x", HexBytes(key.x)}, {"y", HexBytes(key.y)}};
}

Json Fields(const igvm::SupportedPlatform& platform) {
  const std::string_view name = igvm::NameOf(platform.platform_type);
  return {{"platform", name.empty()
                           ? Hex(static_cast<unsigned>(platform.platform_type))
                           : std::string(name)},
          {"platform_version", platform.platform_version},
          {"compatibility_mask", Hex(platform.compatibility_mask)},
          {"highest_vtl", platform.highest_vtl},
          {"shared_gpa_boundary", Hex(platform.shared_gpa_boundary)}};
}
Json Fields(const igvm::GuestPolicy& policy) {
  return {{"policy", Hex(policy.policy)},
          {"compatibility_mask", Hex(policy.compatibility_mask)}};
}
Json Fields(const igvm::RelocatableRegion& region) {
  return {{"gpa", Hex(region.gpa)},
          {"size", Hex(region.size)},
          {"alignment", Hex(region.alignment)},
          {"minimum_gpa", Hex(region.minimum_gpa)},
          {"maximum_gpa", Hex(region.maximum_gpa)},
          {"vp_index", region.vp_index},
          {"vtl", region.vtl},
          {"flags", Hex(region.flags)},
          {"compatibility_mask", Hex(region.compatibility_mask)}};
}
Json Fields(const igvm::PageTableRelocationRegion& region) {
  return {{"gpa", Hex(region.gpa)},
          {"size", Hex(region.size)},
          {"used_size", Hex(region.used_size)},
          {"vp_index", region.vp_index},
          {"vtl", region.vtl},
          {"compatibility_mask", Hex(region.compatibility_mask)}};
}
Json Fields(const igvm::ParameterArea& area) {
  return {{"area", area.index},
          {"size", Hex(area.size)},
          {"data_size", area.data.size()}};
}
Json Fields(const igvm::PageData& page) {
  return {{"gpa", Hex(page.gpa)},
          {"page_type", PageTypeName(page.data_type)},
          {"flags", PageFlagNames(page.flags)},
          {"data_size", page.data.size()},
          {"compatibility_mask", Hex(page.compatibility_mask)}};
}
Json Fields(const igvm::ParameterInsert& insert) {
  return {{"gpa", Hex(insert.gpa)},
          {"area", insert.area_index},
          {"compatibility_mask", Hex(insert.compatibility_mask)}};
}
Json Fields(const igvm::Parameter& parameter) {
  return {{"area", parameter.area_index},
          {"byte_offset", Hex(parameter.byte_offset)}};
}
Json Fields(const igvm::VpContext& context) {
  return {{"gpa", Hex(context.gpa)},
          {"vp_index", context.vp_index},
          {"data_size", context.data.size()},
          {"compatibility_mask", Hex(context.compatibility_mask)}};
}
Json Fields(const igvm::RequiredMemory& memory) {
  return {{"gpa", Hex(memory.gpa)},
          {"size", Hex(memory.size)},
          {"flags", Hex(memory.flags)},
          {"compatibility_mask", Hex(memory.compatibility_mask)}};
}
Json Fields(const igvm::SnpIdBlock& block) {
  return {{"launch_digest", HexBytes(block.launch_digest)},
          {"family_id", HexBytes(block.family_id)},
          {"image_id", HexBytes(block.image_id)},
          {"version", block.version},
          {"guest_svn", block.guest_svn},
          {"author_key_enabled", block.author_key_enabled},
          {"id_key_algorithm", block.id_key_algorithm},
          {"author_key_algorithm", block.author_key_algorithm},
          {"id_key_signature", SignatureJson(block.id_key_signature)},
          {"id_key", KeyJson(block.id_key)},
          {"author_key_signature", SignatureJson(block.author_key_signature)},
          {"author_key", KeyJson(block.author_key)},
          {"compatibility_mask", Hex(block.compatibility_mask)}};
}
Json Fields(const igvm::ErrorRange& range) {
  return {{"gpa", Hex(range.gpa)},
          {"size", Hex(range.size)},
          {"compatibility_mask", Hex(range.compatibility_mask)}};
}
Json Fields(const igvm::CorimData& corim) {
  return {{"size", corim.data.size()},
          {"compatibility_mask", Hex(corim.compatibility_mask)}};
}
Json Fields(const igvm::Opaque& opaque) {
  return {{"content_size", opaque.content.size()}};
}

}  // namespace

std::string HeaderName(const igvm::Header& header) {
  const uint32_t type = header.type & ~igvm::kOptionalBit;
  const std::string_view name = igvm::NameOf(type);
  return absl::StrCat(
      type != header.type ? "optional " : "",
      name.empty() ? absl::StrFormat("type 0x%x", type) : std::string(name));
}

Json HeaderFields(const igvm::Header& header) {
  Json fields =
      std::visit([](const auto& body) { return Fields(body); }, header.body);
  if (const auto* policy = std::get_if<igvm::GuestPolicy>(&header.body)) {
    fields["snp_bits"] = PolicyBitNames(policy->policy);
  }
  return fields;
}

Json HeaderJson(size_t number, const igvm::Header& header) {
  Json json = {{"number", number},
               {"offset", Hex(header.offset)},
               {"type", Hex(header.type)},
               {"name", HeaderName(header)}};
  json.update(HeaderFields(header));
  return json;
}

base::Bytes DataOf(const igvm::Header& header) {
  return std::visit(
      [](const auto& body) -> base::Bytes {
        if constexpr (requires { body.data; }) {
          return body.data;
        } else if constexpr (requires { body.content; }) {
          return body.content;
        } else {
          return {};
        }
      },
      header.body);
}

std::string HexDump(base::Bytes bytes, uint64_t address) {
  constexpr size_t kLine = 16;
  std::string out;
  bool starred = false;
  for (size_t at = 0; at < bytes.size(); at += kLine) {
    const base::Bytes line =
        bytes.subspan(at, std::min(kLine, bytes.size() - at));
    if (at != 0 && at + kLine < bytes.size() &&
        base::Equal(line, bytes.subspan(at - kLine, kLine))) {
      if (!starred) absl::StrAppend(&out, "*\n");
      starred = true;
      continue;
    }
    starred = false;
    absl::StrAppendFormat(&out, "%012x ", address + at);
    for (size_t i = 0; i < kLine; ++i) {
      if (i < line.size()) {
        absl::StrAppendFormat(&out, " %02x", line[i]);
      } else {
        absl::StrAppend(&out, "   ");
      }
    }
    absl::StrAppend(&out, "  ");
    for (const uint8_t byte : line) {
      out.push_back(byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte)
                                                : '.');
    }
    out.push_back('\n');
  }
  return out;
}

}  // namespace cli
