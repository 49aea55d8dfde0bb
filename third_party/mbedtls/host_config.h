// Mbed TLS configuration for Linux: what the guest has, over malloc.
#ifndef THIRD_PARTY_MBEDTLS_HOST_CONFIG_H_
#define THIRD_PARTY_MBEDTLS_HOST_CONFIG_H_
#include "third_party/mbedtls/common_config.h"
#endif  // THIRD_PARTY_MBEDTLS_HOST_CONFIG_H_
