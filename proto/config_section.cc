// SPDX-License-Identifier: Apache-2.0
#include "proto/config_section.h"

#include <string.h>

#include "proto/reasons.h"

namespace proto {

base::Result<base::Bytes> ConfigInSection(base::Bytes section) {
  using base::Code;
  using base::Status;
  if (section.size() != kConfigSectionSize) {
    return Status(Code::kDataLoss, kConfigSectionMalformed);
  }
  if (base::AllZero(section)) {
    return Status(Code::kNotFound, kConfigMissing);
  }
  base::ByteReader reader(section);
  BASE_TRY_ASSIGN(const base::Bytes magic, reader.Take(kConfigMagic.size()));
  BASE_TRY_ASSIGN(const uint32_t size, reader.U32());
  BASE_TRY_ASSIGN(const uint32_t reserved, reader.U32());
  if (!base::Equal(magic, kConfigMagic) || reserved != 0 || size == 0 ||
      size > kConfigMaxSize) {
    return Status(Code::kDataLoss, kConfigSectionMalformed);
  }
  BASE_TRY_ASSIGN(const base::Bytes config, reader.Take(size));
  BASE_TRY_ASSIGN(const base::Bytes padding, reader.Take(reader.remaining()));
  if (!base::AllZero(padding)) {
    return Status(Code::kDataLoss, kConfigSectionMalformed);
  }
  return config;
}

base::Status FillConfigSection(base::Bytes config, base::MutableBytes section) {
  if (section.size() != kConfigSectionSize || config.empty()) {
    return base::Status(base::Code::kInvalidArgument, kConfigSectionMalformed);
  }
  if (config.size() > kConfigMaxSize) {
    return base::Status(base::Code::kResourceExhausted, kConfigTooLarge);
  }
  memset(section.data(), 0, section.size());
  base::ByteWriter writer(section);
  BASE_TRY(writer.Put(kConfigMagic));
  BASE_TRY(writer.U32(static_cast<uint32_t>(config.size())));
  BASE_TRY(writer.U32(0));
  return writer.Put(config);
}

}  // namespace proto
