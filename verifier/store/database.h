// SPDX-License-Identifier: Apache-2.0
//
// A narrow, owning face of SQLite: one connection, statements, transactions.
// Every failure is kStoreWrite (VS2) with SQLite's own text.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace verifier {

// One run of one SQL statement. Bind in the order of the `?`s, then Step.
class Statement {
 public:
  Statement& Bind(std::string_view text);
  Statement& Bind(base::Bytes blob);
  Statement& Bind(int64_t number);

  // true: a row is here. false: no more rows.
  absl::StatusOr<bool> Step();
  // For statements that return no rows.
  absl::Status Run();

  // Of the current row.
  std::string Text(int column);
  std::vector<uint8_t> Blob(int column);
  int64_t Int(int column);

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  void Check(int code);

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int error_ = 0;  // The first one of preparing and binding.
};

class Database {
 public:
  enum class Mode { kOpen, kCreate };
  // WAL, synchronous FULL: what is committed survives a power cut.
  static absl::StatusOr<Database> Open(const std::string& path, Mode mode);

  // For another process's lock; 5 s unless told. After that: Unavailable.
  void LimitWaiting(std::chrono::milliseconds limit);

  // A statement whose SQL does not compile fails at its first Step.
  Statement Prepare(std::string_view sql);
  absl::Status Run(const char* sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  Database() = default;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Everything read while it lives is of one moment; waits for no writer.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database& database)
      : database_(database), status_(database.Run("BEGIN DEFERRED")) {}
  ~ReadTransaction() {
    if (status_.ok()) database_.Run("ROLLBACK").IgnoreError();
  }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  const absl::Status& status() const { return status_; }

 private:
  Database& database_;
  absl::Status status_;
};

// Rolls back unless committed. Takes the write lock at once, so what was read
// inside cannot change before the commit.
class Transaction {
 public:
  explicit Transaction(Database& database)
      : database_(database), status_(database.Run("BEGIN IMMEDIATE")) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const absl::Status& status() const { return status_; }
  absl::Status Commit();

 private:
  Database& database_;
  absl::Status status_;
  bool open_ = true;
};

}  // namespace verifier
