// SPDX-License-Identifier: Apache-2.0
#include "sev/secrets_page.h"

#include "base/bytes.h"
#include "sev/reasons.h"

namespace sev {

base::Result<Vmpck> TakeVmpck0(std::span<uint8_t, kSecretsPageSize> page) {
  namespace layout = secrets_layout;
  const uint32_t version =
      base::LoadLe<uint32_t>(FieldOf<layout::Version>(page));
  if (version < kSecretsPageMinVersion || version > kSecretsPageMaxVersion) {
    return base::Status(base::Code::kDataLoss, kSecretsPageUnknownVersion);
  }
  const auto place = FieldOf<layout::Vmpck0>(page);
  if (base::AllZero(place)) {
    return base::Status(base::Code::kDataLoss, kSecretsPageNoKey);
  }
  auto key = Vmpck::CopyFrom(place);
  base::SecureZero(place.data(), place.size());
  return key;
}

}  // namespace sev
