//! How a write is carried out: sequence numbers are claimed, entries inserted, and made visible.

use std::sync::Arc;

use strata_dbformat::{Comparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, MemTable};
use strata_write_batch::WriteBatch;

use crate::commit::Claim;
use crate::core::Core;
use crate::group::Logged;
use crate::lengths::too_long_for_a_table;
use crate::memtables::Numbered;
use crate::room::Need;
use crate::{Wait, WriteBuffer, WriteError, WriteOptions};

impl<C: Comparator + Clone> WriteBuffer<C> {
    #[inline]
    pub(crate) fn write_one(
        &self,
        value_type: ValueType,
        user_key: &[u8],
        value: &[u8],
    ) -> Result<SequenceNumber, WriteError> {
        if let Some(bytes) = too_long_for_a_table([(user_key.len(), value.len())]) {
            return Err(WriteError::EntryTooLong { bytes });
        }
        let core = self.core();
        if core.is_logged {
            let mut batch = WriteBatch::new();
            match value_type {
                ValueType::Value => batch.put(user_key, value)?,
                ValueType::Deletion => batch.delete(user_key)?,
            }
            return self.write(&batch);
        }
        let need = Need {
            entries: 1,
            bytes: user_key.len().saturating_add(value.len()),
        };
        let memtables = core.memtables.load();
        if core.has_room(&memtables.active, need)
            && let Some(last) = core.write_late(&memtables.active, value_type, user_key, value)?
        {
            return Ok(last);
        }
        drop(memtables);
        core.write_with_room_made(need, Wait::Forever, |memtable, first| {
            memtable.add(first, value_type, user_key, value)
        })
    }

    pub(crate) fn write_unlogged(
        &self,
        batch: &WriteBatch,
        need: Need,
        wait: Wait,
    ) -> Result<SequenceNumber, WriteError> {
        let core = self.core();
        let memtables = core.memtables.load();
        if core.has_room(&memtables.active, need)
            && let Some(claim) = core.claim_from(&memtables.active, need)?
        {
            // If it is refused, dropping the claim lets those after it go on.
            let first = SequenceNumber::new(claim.first())?;
            add_batch(memtables.active.writer(), first, batch)?;
            return Ok(SequenceNumber::new(claim.publish()?)?);
        }
        drop(memtables);
        core.write_with_room_made(need, wait, |memtable, first| {
            add_batch(memtable, first, batch)
        })
    }

    pub(crate) fn write_logged(
        &self,
        batch: &WriteBatch,
        need: Need,
        options: WriteOptions,
    ) -> Result<SequenceNumber, WriteError> {
        let core = self.core();
        let logged: Logged<C> = core.log(batch, need, options)?;
        let claim = Claim::new(&core.sequencer, logged.first, logged.last);
        let first = SequenceNumber::new(logged.first)?;
        let added = add_batch(logged.memtable.writer(), first, batch);
        // Once it is visible it may be flushed, and would still take memory.
        drop(logged.memtable);
        match added {
            Ok(()) => {
                let last = claim.publish()?;
                core.relieve_softly();
                Ok(SequenceNumber::new(last)?)
            }
            Err(error) => {
                // It is in the log, so a recovery will find it. Were others to go on, what they
                // read would not be what a recovery gives.
                claim.bury();
                Err(error.into())
            }
        }
    }
}

impl<C: Comparator + Clone> Core<C> {
    /// Writes one entry to a memtable that has room; none if it is no longer the active one.
    ///
    /// Its sequence number is claimed when its place is found: those who are given later ones
    /// wait until it is visible, and have to wait for what is left to do.
    #[inline]
    fn write_late(
        &self,
        active: &Numbered<C>,
        value_type: ValueType,
        user_key: &[u8],
        value: &[u8],
    ) -> Result<Option<SequenceNumber>, WriteError> {
        let need = Need {
            entries: 1,
            bytes: 0,
        };
        let mut claimed: Result<Option<Claim<'_>>, WriteError> = Ok(None);
        let sequence = || {
            claimed = self.claim_from(active, need);
            let claim = claimed.as_ref().ok()?.as_ref()?;
            SequenceNumber::new(claim.first()).ok()
        };
        let added = active
            .writer()
            .add_late(value_type, user_key, value, sequence);
        match (claimed?, added) {
            // If it was refused all the same, dropping the claim lets those after it go on.
            (Some(claim), Ok(_)) => Ok(Some(SequenceNumber::new(claim.publish()?)?)),
            (None, Ok(_) | Err(AddError::Frozen)) => Ok(None),
            (_, Err(error)) => Err(error.into()),
        }
    }

    /// Writes what there is no room for without a closer look, or a wait.
    fn write_with_room_made(
        &self,
        need: Need,
        wait: Wait,
        insert: impl FnOnce(&MemTable<C>, SequenceNumber) -> Result<(), AddError>,
    ) -> Result<SequenceNumber, WriteError> {
        let mut commit = self.commit.lock();
        let _set_aside = self.make_room(&mut commit, need, wait)?;
        // Not the whole list: that would keep memtables that are flushed meanwhile.
        let active = Arc::clone(&self.memtables.load().active);
        let claim = self.claim(&active, need)?;
        drop(commit);
        insert(active.writer(), SequenceNumber::new(claim.first())?)?;
        // Once it is visible it may be flushed, and would still take memory.
        drop(active);
        let last = claim.publish()?;
        self.relieve_softly();
        Ok(SequenceNumber::new(last)?)
    }
}

/// Adds a batch that has been checked.
fn add_batch<C: Comparator>(
    memtable: &MemTable<C>,
    first: SequenceNumber,
    batch: &WriteBatch,
) -> Result<(), AddError> {
    let entries = batch.operations().filter_map(Result::ok);
    memtable.add_batch(
        first,
        entries.map(|operation| {
            (
                operation.value_type(),
                operation.user_key(),
                operation.value(),
            )
        }),
    )
}
