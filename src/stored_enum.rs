//! Enums that are stored and sent as fixed words, each with what people call it.

/// Makes such an enum: `ALL`, `word()`, `text()`, and the same word in JSON, in SQL and when read back.
macro_rules! stored_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident $word:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// As stored and sent.
            pub fn word(self) -> &'static str { match self { $($name::$variant => $word),* } }

            /// As people call it.
            pub fn text(self) -> &'static str { match self { $($name::$variant => $text),* } }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(word: &str) -> std::result::Result<$name, ()> {
                $name::ALL.iter().copied().find(|value| value.word() == word).ok_or(())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> { s.serialize_str(self.word()) }
        }

        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> { Ok(self.word().into()) }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<$name> {
                value.as_str()?.parse().map_err(|()| rusqlite::types::FromSqlError::InvalidType)
            }
        }
    };
}

pub(crate) use stored_enum;
