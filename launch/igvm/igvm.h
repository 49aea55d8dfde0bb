// SPDX-License-Identifier: Apache-2.0
//
// The IGVM file format, in memory: headers in the order of the file, each with
// the data that it points to. Nothing here knows what a launch does with them
// (launch/igvm_plan.h).
//
// Spec: IGVM, as published by the crate igvm_defs 0.4 (microsoft/igvm); names
// in comments are that crate's. Version 2 is its "unstable" part.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace igvm {

inline constexpr uint64_t kPageSize = 4096;
inline constexpr uint64_t kLargePageSize = 2 << 20;

// IgvmVariableHeaderType.
enum class HeaderType : uint32_t {
  kSupportedPlatform = 0x1,
  kGuestPolicy = 0x101,
  kRelocatableRegion = 0x102,
  kPageTableRelocationRegion = 0x103,
  kCorimDocument = 0x104,
  kCorimSignature = 0x105,
  kCcaPolicy = 0x106,
  kParameterArea = 0x301,
  kPageData = 0x302,
  kParameterInsert = 0x303,
  kVpContext = 0x304,
  kRequiredMemory = 0x305,
  kVpCount = 0x307,
  kSrat = 0x308,
  kMadt = 0x309,
  kMmioRanges = 0x30A,
  kSnpIdBlock = 0x30B,
  kMemoryMap = 0x30C,
  kErrorRange = 0x30D,
  kCommandLine = 0x30E,
  kSlit = 0x30F,
  kPptt = 0x310,
  kVbsMeasurement = 0x311,
  kDeviceTree = 0x312,
  kEnvironmentInfo = 0x313,
};

// IGVM_VHT_OPTIONAL_BIT: a loader that does not know the type may go on.
inline constexpr uint32_t kOptionalBit = uint32_t{1} << 31;

// Of a type without kOptionalBit.
enum class Section : uint8_t { kPlatform, kInitialization, kDirective, kNone };
Section SectionOf(uint32_t type);
// "page data"; empty: not known.
std::string_view NameOf(uint32_t type);

// IgvmPlatformType.
enum class PlatformType : uint8_t {
  kNative = 0,
  kVsmIsolation = 1,
  kSevSnp = 2,
  kTdx = 3,
  kSev = 4,
  kSevEs = 5,
  kCca = 6,
};
std::string_view NameOf(PlatformType type);  // empty: not known

// IGVM_VHS_SUPPORTED_PLATFORM.
struct SupportedPlatform {
  uint32_t compatibility_mask = 0;  // one bit
  uint8_t highest_vtl = 0;
  PlatformType platform_type = PlatformType::kNative;
  uint16_t platform_version = 1;
  uint64_t shared_gpa_boundary = 0;
};

// IGVM_VHS_GUEST_POLICY. SEV-SNP: sev/guest_policy.h.
struct GuestPolicy {
  uint64_t policy = 0;
  uint32_t compatibility_mask = 0;
};

// IGVM_VHS_RELOCATABLE_REGION.
struct RelocatableRegion {
  uint32_t compatibility_mask = 0;
  uint16_t vp_index = 0;
  uint8_t vtl = 0;
  uint8_t flags = 0;
  uint64_t alignment = 0;
  uint64_t gpa = 0;
  uint64_t size = 0;
  uint64_t minimum_gpa = 0;
  uint64_t maximum_gpa = 0;
};

// IGVM_VHS_PAGE_TABLE_RELOCATION.
struct PageTableRelocationRegion {
  uint32_t compatibility_mask = 0;
  uint16_t vp_index = 0;
  uint8_t vtl = 0;
  uint64_t gpa = 0;
  uint64_t size = 0;
  uint64_t used_size = 0;
};

// IGVM_VHS_PARAMETER_AREA.
struct ParameterArea {
  uint64_t size = 0;  // bytes, whole pages
  uint32_t index = 0;
  base::Bytes data;  // `size` bytes; empty: zeros
};

// IgvmPageDataFlags.
inline constexpr uint32_t kPageIsLarge = 1 << 0;  // 2 MiB
inline constexpr uint32_t kPageUnmeasured = 1 << 1;
inline constexpr uint32_t kPageShared = 1 << 2;
inline constexpr uint32_t kKnownPageFlags =
    kPageIsLarge | kPageUnmeasured | kPageShared;

// IgvmPageDataType.
enum class PageDataType : uint16_t {
  kNormal = 0,
  kSecrets = 1,
  kCpuid = 2,
  kCpuidXf = 3,  // CPUID, with the XFEATURE-dependent leaves of the host
};

// IGVM_VHS_PAGE_DATA.
struct PageData {
  uint64_t gpa = 0;
  uint32_t compatibility_mask = 0;
  uint32_t flags = 0;
  PageDataType data_type = PageDataType::kNormal;
  base::Bytes data;  // one page of the kind; empty: zeros
};

// IGVM_VHS_PARAMETER_INSERT.
struct ParameterInsert {
  uint64_t gpa = 0;
  uint32_t compatibility_mask = 0;
  uint32_t area_index = 0;
};

// IGVM_VHS_PARAMETER: of the types kVpCount to kMmioRanges, kMemoryMap,
// kCommandLine to kPptt, kDeviceTree and kEnvironmentInfo.
struct Parameter {
  uint32_t area_index = 0;
  uint32_t byte_offset = 0;
};

// IGVM_VHS_VP_CONTEXT.
struct VpContext {
  uint64_t gpa = 0;
  uint32_t compatibility_mask = 0;
  uint16_t vp_index = 0;
  // A page (SEV-SNP: the VMSA), or VSM's list of registers; empty: none.
  base::Bytes data;
};

// IGVM_VHS_REQUIRED_MEMORY.
struct RequiredMemory {
  uint64_t gpa = 0;
  uint32_t compatibility_mask = 0;
  uint32_t size = 0;   // bytes, whole pages
  uint32_t flags = 0;  // bit 0: VTL2 protectable
};

// IGVM_VHS_SNP_ID_BLOCK: sev/id_block.h's structures without their reserved
// bytes and without the policy.
struct EcdsaSignature {
  std::span<const uint8_t, 72> r, s;  // little-endian
};
struct EcdsaPublicKey {
  uint32_t curve;
  std::span<const uint8_t, 72> x, y;  // little-endian
};
struct SnpIdBlock {
  uint32_t compatibility_mask;
  bool author_key_enabled;
  std::span<const uint8_t, 48> launch_digest;
  std::span<const uint8_t, 16> family_id, image_id;
  uint32_t version;
  uint32_t guest_svn;
  uint32_t id_key_algorithm;
  uint32_t author_key_algorithm;
  EcdsaSignature id_key_signature;  // by the ID key, over the ID block
  EcdsaPublicKey id_key;
  EcdsaSignature author_key_signature;  // by the author key, over the ID key
  EcdsaPublicKey author_key;
};

// IGVM_VHS_CORIM_DATA: of the types kCorimDocument and kCorimSignature.
struct CorimData {
  uint32_t compatibility_mask = 0;
  base::Bytes data;
};

// IGVM_VHS_ERROR_RANGE.
struct ErrorRange {
  uint64_t gpa = 0;
  uint32_t compatibility_mask = 0;
  uint32_t size = 0;  // bytes, whole pages
};

// A type that is not described above, or one with kOptionalBit: the header's
// bytes as they are. Its data in the file, if any, is not found: what Write()
// makes of such a header may point to other bytes.
struct Opaque {
  base::Bytes content;
};

using Body = std::variant<SupportedPlatform, GuestPolicy, RelocatableRegion,
                          PageTableRelocationRegion, ParameterArea, PageData,
                          ParameterInsert, Parameter, VpContext, RequiredMemory,
                          SnpIdBlock, CorimData, ErrorRange, Opaque>;

struct Header {
  uint32_t type = 0;  // HeaderType, or another, with kOptionalBit as found
  Body body;
  size_t offset = 0;  // in the file that was read; Write() does not look at it
};

// IgvmArchitecture, in version 2.
enum class Architecture : uint32_t { kX64 = 0, kAarch64 = 1 };

struct File {
  uint32_t version = 1;  // 1 or 2
  Architecture architecture = Architecture::kX64;
  std::vector<Header> headers;
};

// The platforms that a header is for; empty: it has no such field.
const uint32_t* CompatibilityMaskOf(const Header& header);

}  // namespace igvm
