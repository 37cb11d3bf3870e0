//! Forms without files, read as Rocket reads them. Reading the request is the same whatever is asked for, and so stands in
//! the program once and not a hundred times.

use std::ops::Deref;

use rocket::Request;
use rocket::data::{Data, FromData, Outcome};
use rocket::form::{self, DataField, Errors, FromForm, Options, ValueField};

/// A form of exactly the fields of `T`, as the browser sent them.
pub struct Form<T>(T);

impl<T> Form<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Form<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: FromForm<'r>> FromData<'r> for Form<T> {
    type Error = Errors<'r>;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        form::Form::<Fields>::from_data(request, data).await.and_then(|fields| of(fields.into_inner()))
    }
}

fn of<'r, T: FromForm<'r>>(fields: Fields<'r>) -> Outcome<'r, Form<T>> {
    let mut context = T::init(Options::Lenient);
    fields.0.into_iter().for_each(|field| T::push_value(&mut context, field));
    match T::finalize(context) {
        Ok(value) => Outcome::Success(Form(value)),
        Err(errors) => Outcome::Error((errors.status(), errors)),
    }
}

/// The same, with all that was sent: for a form that may be refused until somebody says that it is meant.
pub struct Sent<T> {
    pub form: T,
    pub fields: Vec<(String, String)>,
}

#[rocket::async_trait]
impl<'r, T: FromForm<'r>> FromData<'r> for Sent<T> {
    type Error = Errors<'r>;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        form::Form::<Fields>::from_data(request, data).await.and_then(|fields| {
            let fields = fields.into_inner();
            let sent = fields.0.iter().map(|field| (field.name.source().to_string(), field.value.to_owned())).collect();
            of(fields).map(|form: Form<T>| Sent { form: form.into_inner(), fields: sent })
        })
    }
}

/// All that was sent, in its order.
struct Fields<'r>(Vec<ValueField<'r>>);

#[rocket::async_trait]
impl<'r> FromForm<'r> for Fields<'r> {
    type Context = Vec<ValueField<'r>>;

    fn init(_: Options) -> Self::Context {
        Vec::new()
    }

    fn push_value(context: &mut Self::Context, field: ValueField<'r>) {
        context.push(field);
    }

    /// A file that nobody asked for is not read.
    async fn push_data(_: &mut Self::Context, _: DataField<'r, '_>) {}

    fn finalize(fields: Self::Context) -> form::Result<'r, Self> {
        Ok(Fields(fields))
    }
}
