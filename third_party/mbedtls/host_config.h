// SPDX-License-Identifier: Apache-2.0
//
// Mbed TLS configuration for Linux: what the guest has, over malloc.
#pragma once
#include "third_party/mbedtls/common_config.h"
