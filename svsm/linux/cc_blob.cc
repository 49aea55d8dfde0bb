// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/cc_blob.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "sev/wire_field.h"

namespace svsm {
namespace {

// struct cc_blob_sev_info, packed.
using Magic = sev::WireField<0x00, 4>;
using Version = sev::WireField<0x04, 2>;
using Reserved06 = sev::WireField<0x06, 2>;
using SecretsAddress = sev::WireField<0x08, 8>;
using SecretsSize = sev::WireField<0x10, 4>;
using Reserved14 = sev::WireField<0x14, 4>;
using CpuidAddress = sev::WireField<0x18, 8>;
using CpuidSize = sev::WireField<0x20, 4>;
using Reserved24 = sev::WireField<0x24, 4>;
static_assert(sev::Tile<Magic, Version, Reserved06, SecretsAddress, SecretsSize,
                        Reserved14, CpuidAddress, CpuidSize, Reserved24>(0x28));
constexpr size_t kBlobSize = Reserved24::kEnd;
constexpr uint32_t kMagic = 0x45444D41;  // "AMDE"

// struct cc_setup_data: next, type, length of what follows, blob, padding.
using Next = sev::WireField<0x00, 8>;
using Type = sev::WireField<0x08, 4>;
using Length = sev::WireField<0x0C, 4>;
using Blob = sev::WireField<0x10, 4>;
using Padding = sev::WireField<0x14, 4>;
static_assert(sev::Tile<Next, Type, Length, Blob, Padding>(kCcBlobNodeSize));
constexpr uint32_t kSetupCcBlob = 7;  // asm/setup_data.h, SETUP_CC_BLOB

}  // namespace

void WriteKeptPages(const LaunchPages& pages, uint32_t address,
                    std::span<uint8_t, kKeptPagesSize> out) {
  constexpr uint32_t kCpuid = sev::kSecretsPageSize;
  constexpr uint32_t kBlob = CcBlobAddress(0);
  const auto secrets = out.first<sev::kSecretsPageSize>();
  memcpy(secrets.data(), pages.secrets.data(), secrets.size());
  const auto vmpck0 = sev::FieldOf<sev::secrets_layout::Vmpck0>(secrets);
  base::SecureZero(vmpck0.data(), vmpck0.size());
  memcpy(&out[kCpuid], pages.cpuid.data(), pages.cpuid.size());

  const auto rest = out.subspan<kBlob>();
  memset(rest.data(), 0, rest.size());
  const auto blob = rest.first<kBlobSize>();
  sev::PutLe<uint32_t, Magic>(kMagic, blob);
  sev::PutLe<uint64_t, SecretsAddress>(address, blob);
  sev::PutLe<uint32_t, SecretsSize>(sev::kSecretsPageSize, blob);
  sev::PutLe<uint64_t, CpuidAddress>(uint64_t{address} + kCpuid, blob);
  sev::PutLe<uint32_t, CpuidSize>(sev::kCpuidPageSize, blob);
}

void WriteCcBlobNode(uint32_t blob, std::span<uint8_t, kCcBlobNodeSize> out) {
  memset(out.data(), 0, out.size());
  sev::PutLe<uint32_t, Type>(kSetupCcBlob, out);
  sev::PutLe<uint32_t, Length>(kCcBlobNodeSize - Blob::kOffset, out);
  sev::PutLe<uint32_t, Blob>(blob, out);
}

}  // namespace svsm
